//! What is said to a web server and what its answers mean, without a socket: RFC 9110 (semantics), RFC 3986 (URLs).

mod answer;
mod url;

pub(crate) use self::answer::{Answer, Ask, Refusal, Told, read};
pub use self::url::Url;
