use super::*;
use crate::service::front::Front;
use crate::service::limits::Limits;
use crate::service::workers::Channel;
use crate::service::workers::ToWorker;
use crate::service::workers::{HandoverSource, now_ns};
use crate::transfer::{Admissions, Options, SinkSpec};
use crossbeam_channel::bounded;
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;

#[test]
fn a_connection_that_is_heard_of_between_two_looks_at_the_sockets_is_taken() {
    let (service, worker) = UnixStream::pair().expect("pair");
    let mut service = Channel::new(service).expect("channel");
    let source = HandoverSource::new(Channel::new(worker).expect("channel"), None);
    let factory = ReceiverFactory::new(
        SinkSpec::Discard,
        None,
        Options::default(),
        Admissions::new(Limits::default().admission(8)),
        std::sync::Arc::new(|| {}),
    );
    let (sender, told) = bounded(64);
    let (mut front, _handle) = Front::new(source, sender).expect("a front");
    let mut all = ReceiveLoop::new(factory, 8);
    front.accept(&mut all);
    assert!(!front.may_accept(&all, Instant::now()), "nobody has come");

    let listener = TcpListener::bind("127.0.0.1:0").expect("port");
    let sender = TcpStream::connect(listener.local_addr().expect("address")).expect("connects");
    let (connection, _) = listener.accept().expect("accepts");
    let message = ToWorker::Connection {
        id: TransferId::next(),
        peer: "127.0.0.1:1".into(),
        sent_ns: now_ns(),
        part: crate::transfer::PartNumber::draw(),
    };
    service.send(&message, Some(connection.into())).expect("said");
    front.obey(&mut all);
    front.accept(&mut all);
    assert_eq!(all.connections.len(), 1);
    front.context().tell_due(|| all.open_counts());
    let told = told.try_iter().next().expect("it is told");
    let told = serde_json::to_string(&told).expect("serializes");
    assert!(told.contains("handed_over"), "{told}");
    drop(sender);
}
