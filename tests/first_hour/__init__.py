"""The first hour of a new user: the examples of all pages, the demo and the site."""
