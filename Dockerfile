# What is pinned is pinned to the version; `docker buildx imagetools inspect NAME` tells the digest to pin it further.
FROM python:3.13.12-slim-bookworm AS build
WORKDIR /src
# packages first, since they change more rarely than the code: each has the hash that the lock names
COPY requirements-build.lock requirements.lock ./
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m venv /opt/build && /opt/build/bin/pip install --disable-pip-version-check --require-hashes \
        --only-binary :all: --requirement requirements-build.lock && \
    python -m venv /opt/costbot && /opt/costbot/bin/pip install --disable-pip-version-check --require-hashes \
        --only-binary :all: --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
COPY sync sync
COPY workflow workflow
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /dist . && \
    /opt/costbot/bin/pip install --no-deps --no-index /dist/costbot-*.whl && \
    /opt/costbot/bin/pip uninstall --quiet --yes pip

FROM python:3.13.12-slim-bookworm
RUN useradd --no-create-home --home-dir /data --uid 10001 costbot && install --directory --owner=costbot /data
COPY --from=build /opt/costbot /opt/costbot
# matplotlib keeps a list of fonts, which nobody misses after a restart
ENV PATH=/opt/costbot/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MPLCONFIGDIR=/tmp \
    COSTBOT_DATA_DIR=/data
USER costbot
WORKDIR /data
VOLUME /data
EXPOSE 3000
ENTRYPOINT ["costbot"]
CMD ["run"]
HEALTHCHECK --interval=15s --timeout=5s --retries=4 --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:3000/readyz', timeout=4)"]
