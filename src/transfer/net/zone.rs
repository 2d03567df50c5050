//! The zone of a link-local address, which says which network it is meant on: `fe80::1%eth0`. RFC 4007, section 11.

use std::io;

use rustix::net::netdevice::name_to_index;
use rustix::net::{AddressFamily, SocketType, socket};

use crate::error::Reason;

/// An address and its zone, where there is one.
pub(super) fn split(host: &str) -> (&str, Option<&str>) {
    host.split_once('%')
        .map_or((host, None), |(address, zone)| (address, Some(zone)))
}

/// The number of a zone, which is the name of a network interface or its number. `%25` in place of `%` before it, as in
/// URLs (RFC 6874), is taken as well.
///
/// # Errors
/// There is no such interface.
pub(crate) fn index(zone: &str) -> Result<u32, Reason> {
    if let Ok(number) = zone.parse() {
        return Ok(number);
    }
    let in_url = zone.strip_prefix("25").filter(|rest| !rest.is_empty());
    let found = interface(zone).or_else(
        |error| match in_url.map(|zone| zone.parse().or_else(|_| interface(zone))) {
            Some(Ok(number)) => Ok(number),
            Some(Err(_)) | None => Err(error),
        },
    );
    found.map_err(|_| format!("there is no network interface {}", in_url.unwrap_or(zone)).into())
}

fn interface(name: &str) -> io::Result<u32> {
    let any = socket(AddressFamily::INET6, SocketType::DGRAM, None)
        .or_else(|_| socket(AddressFamily::INET, SocketType::DGRAM, None))?;
    Ok(name_to_index(&any, name)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_a_number_or_the_name_of_an_interface() {
        assert_eq!(split("fe80::1%eth0"), ("fe80::1", Some("eth0")));
        assert_eq!(split("::1"), ("::1", None));
        let lo = index("lo").expect("every machine has it");
        for same in ["25lo".to_owned(), lo.to_string()] {
            assert_eq!(index(&same), Ok(lo), "{same}");
        }
        for missing in ["nowhere0", "25nowhere0"] {
            let error = index(missing).expect_err(missing).to_string();
            assert!(error.contains("no network interface nowhere0"), "{error}");
        }
    }
}
