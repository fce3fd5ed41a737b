"""One module per subject; a page is a function from a visit to a response."""
