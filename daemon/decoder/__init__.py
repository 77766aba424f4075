"""What runs in the decoder's own processes: everything that parses a video or a photo.

A file may be made to take a decoder over. So each call is served by a process that lives as long as
the call, has opened the file beforehand, and can then open, start, signal and connect to nothing.
"""
