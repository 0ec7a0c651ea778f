"""One module per command, each with a `main(args)`; what several of them need stands one folder up."""
