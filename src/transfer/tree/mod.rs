//! What both ends of a tree of files share.

pub(crate) mod path;
