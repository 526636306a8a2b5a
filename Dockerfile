# syntax=docker/dockerfile:1
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
COPY sync sync
COPY workflow workflow
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m venv /opt/costbot && /opt/costbot/bin/pip install --disable-pip-version-check .

FROM python:3.13-slim
RUN useradd --create-home --uid 10001 costbot && install --directory --owner=costbot /data
COPY --from=build /opt/costbot /opt/costbot
ENV PATH=/opt/costbot/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    COSTBOT_DATA_DIR=/data
USER costbot
WORKDIR /data
VOLUME /data
EXPOSE 3000
ENTRYPOINT ["costbot"]
CMD ["run"]
