//! ioloop
