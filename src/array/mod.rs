//! What is moved: dtype, shape and order, and where such arrays come from.
