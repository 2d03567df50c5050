//! A proxy that cuts one connection, or lets nothing more through over it.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};

/// Lets everything through to the receiver; the connection that is the `cut`-th is cut after so many bytes.
pub(crate) fn cutting_proxy(to: String, cut: usize, after_bytes: usize) -> String {
    proxy(to, cut, after_bytes, false)
}

/// The same, but that nobody learns of it: what comes over that connection goes nowhere.
pub(crate) fn swallowing_proxy(to: String, cut: usize, after_bytes: usize) -> String {
    proxy(to, cut, after_bytes, true)
}

fn proxy(to: String, cut: usize, after_bytes: usize, swallows: bool) -> String {
    let proxy = TcpListener::bind("127.0.0.1:0").expect("port");
    let address = proxy.local_addr().expect("address").to_string();
    let body = move || {
        for (number, connection) in proxy.incoming().take(8).enumerate() {
            let (Ok(sender), Ok(receiver)) = (connection, TcpStream::connect(&to)) else {
                return;
            };
            let (back_from, back_to) = (receiver.try_clone().expect("clone"), sender.try_clone().expect("clone"));
            let back = move || {
                let _ = std::io::copy(&mut &back_from, &mut &back_to);
                let _ = back_to.shutdown(Shutdown::Both);
            };
            let forth = move || {
                let most = if number == cut { after_bytes as u64 } else { u64::MAX };
                let _ = std::io::copy(&mut (&sender).take(most), &mut &receiver);
                let _ = (&receiver).flush();
                if swallows && number == cut {
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
