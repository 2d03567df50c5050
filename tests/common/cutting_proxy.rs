//! A proxy that cuts one connection.

#![allow(dead_code, reason = "no test cuts in every way")]

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};

/// What becomes of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// It is closed at both ends.
    AtBothEnds,
    /// It is closed for the receiver, and the sender is not told.
    AtTheReceiver,
    /// Nobody learns of it: what comes goes nowhere.
    Nowhere,
}

/// Lets everything through to the receiver; the connection that is the `number`-th is cut after so many bytes.
pub(crate) fn cutting_proxy(to: String, number: usize, after_bytes: usize, cut: Cut) -> String {
    let is_cut = move |at: usize| at == number;
    let proxy = TcpListener::bind("127.0.0.1:0").expect("port");
    let address = proxy.local_addr().expect("address").to_string();
    let body = move || {
        for (at, connection) in proxy.incoming().take(8).enumerate() {
            let (Ok(sender), Ok(receiver)) = (connection, TcpStream::connect(&to)) else {
                return;
            };
            let (back_from, back_to) = (receiver.try_clone().expect("clone"), sender.try_clone().expect("clone"));
            let back = move || {
                let _ = std::io::copy(&mut &back_from, &mut &back_to);
                let _ = back_to.shutdown(Shutdown::Both);
            };
            let forth = move || {
                let most = if is_cut(at) { after_bytes as u64 } else { u64::MAX };
                let _ = std::io::copy(&mut (&sender).take(most), &mut &receiver);
                let _ = (&receiver).flush();
                if is_cut(at) && cut == Cut::AtTheReceiver {
                    let _ = receiver.shutdown(Shutdown::Write);
                }
                if is_cut(at) && cut != Cut::AtBothEnds {
                    let _ = std::io::copy(&mut &sender, &mut std::io::sink());
                }
                let _ = (receiver.shutdown(Shutdown::Both), sender.shutdown(Shutdown::Both));
            };
            for job in [Box::new(back) as Box<dyn FnOnce() + Send>, Box::new(forth)] {
                std::thread::Builder::new().spawn(job).expect("thread");
            }
        }
    };
    std::thread::Builder::new().spawn(body).expect("thread");
    address
}
