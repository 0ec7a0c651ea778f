"""A local API with an invented time-tracking workspace: what `make run` shows, the one fake API of the tests.

Everything that pretends to be the other company belongs here. The pipeline never imports it; it meets it over
HTTP like any other server. Nothing is re-exported: the command line reads `cli` without loading a web server.
"""
