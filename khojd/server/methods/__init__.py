"""The khoj/* methods, one module per family."""
