"""The rules of a store: pure, one file per noun, standard library only.

The store and the centre run the very same functions, so nothing here may know a clock, an id source, a file or a socket.
"""
