"""Networks as ONNX graphs, made from the weight files that their authors publish, without torch."""
