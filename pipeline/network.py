"""What a meter asks of a neural network, so that it takes an onnxruntime session or a test's stand-in, and loads neither."""

from typing import Any, Protocol

from pipeline.records import Floats


class Network(Protocol):
    """An onnxruntime session."""

    def run(self, output_names: None, input_feed: dict[str, Floats], /) -> Any:
        """The outputs for a batch of inputs."""
        ...

    def get_modelmeta(self) -> Any:
        """What its graph carries besides."""
        ...
