"""How good a network is: figures, calibration, charts and pages."""
