# SPDX-License-Identifier: MIT
"""What ./weft bench is made of; bench/README.md tells how to use it."""
