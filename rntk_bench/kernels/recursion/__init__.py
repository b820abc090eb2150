"""The compiled loops: arrays and correlations, no kernels. They release the GIL."""
