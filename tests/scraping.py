"""What Prometheus makes of `/metrics`: every sample by name and labels, read by its own parser."""

from prometheus_client.parser import text_string_to_metric_families

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples_of(text: str) -> Samples:
    """Every sample of a page."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(samples: Samples, name: str, company: str = "", **labels: str) -> float:
    """One sample, or KeyError."""
    return samples[name, tuple(sorted({"company": company, **labels}.items()))]
