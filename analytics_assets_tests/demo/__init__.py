"""Tests of the demo API: what other tests take for granted about the server that they read from."""
