"""One module per command, each with a `main(args)`; what several commands share is one folder up."""
