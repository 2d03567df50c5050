//! What each target does with some bytes: it drives a parser as its owner does, and holds it to its budget.
//!
//! The fuzzers and the tests on stable share this file.

use std::sync::Arc;

use arraylift::internals::{
    Farewell, Grain, Handoff, Heard, Ledger, Offer, ReceiveWire, SendStep, SendWire, Want, parsers,
};
use arraylift::npy::{HeaderProgress, read_header, write_header};
use arraylift::{ArrayMeta, ChecksumKind, Dtype, Error, WireChoice, values};

use crate::budget::{Budget, Cost, within};

/// Takes an input.
type Body = fn(&[u8]);

/// By name, each with its body.
pub const TARGETS: [(&str, Body); 11] = [
    ("receive_wire", receive_wire),
    ("send_wire", send_wire),
    ("npy_header", npy_header),
    ("dtype", dtype),
    ("preview", preview),
    ("http_answer", http_answer),
    ("control_message", control_message),
    ("recipe_handshake", recipe_handshake),
    ("web_server", web_server),
    ("proxy_answer", proxy_answer),
    ("worker_lines", worker_lines),
];

/// A step takes at least one byte, but for those that decide and end.
const WIRE: Budget = Budget {
    steps: [8, 2],
    allocations: [64, 2],
    total_bytes: [64 << 10, 256],
    most_bytes: [64 << 10, 128],
};

/// What is read at once of a sender's or a receiver's last words.
const LAST_WORD_BYTES: usize = 256;

/// The most that a wire may ask for at once: an offer and the header before it, with a block's header behind it.
const CONTROL_BYTES_MAX: usize = (320 << 10) + 24;

/// How a wire's owner behaves, which the first byte of the input decides: any of these bits.
#[derive(Debug, Clone, Copy, Default)]
pub struct Manner(pub u8);

impl Manner {
    /// Bytes come one at a time, and not as many as are wanted.
    pub const SLOW: u8 = 1;
    /// Blocks may come over two connections; a handoff that was asked for is done.
    pub const STREAMS: u8 = 2;
    /// What is offered to be handed over is taken so.
    pub const HANDOFF: u8 = 4;
    /// A receiver's connection joins a transfer; a sender hears its peer at any time.
    pub const JOINS: u8 = 8;
    /// A sender's blocks lie on a grid.
    pub const GRID: u8 = 16;
    /// A receiver has some blocks of what is offered, where it can say so.
    pub const RESUMES: u8 = 32;

    fn has(self, bit: u8) -> bool {
        self.0 & bit != 0
    }
}

/// The first byte says how the receiver behaves; the others come to it.
pub fn receive_wire(input: &[u8]) {
    if let Some((manner, bytes)) = input.split_first() {
        receive(Manner(*manner), bytes);
    }
}

/// A receiver hears these bytes, and all that follows from them is within its budget. Gives what they cost, and the error
/// that they end in, where they do.
pub fn receive(manner: Manner, bytes: &[u8]) -> (Cost, Option<Error>) {
    let mut error = None;
    let cost = within(WIRE, bytes.len(), || {
        let (mut wire, mut ledger) = if manner.has(Manner::JOINS) {
            // Sixteen whole blocks and 20 bytes.
            let (bytes, kind) = ((1 << 20) + 20, ChecksumKind::Crc64Nvme);
            let ledger = if manner.has(Manner::RESUMES) {
                Ledger::resumed(bytes, kind, Grain::MIN, 2, [(0, 7), (16, 7)]).expect("blocks of it")
            } else {
                Ledger::new(bytes, kind, 2)
            };
            (ReceiveWire::joined(Grain::MIN), Some(ledger))
        } else {
            let wire = ReceiveWire::new(WireChoice::Auto, None).expect("it needs to be told nothing");
            (wire, None)
        };
        let steps;
        (steps, error) = receive_all(manner, &mut wire, &mut ledger, bytes);
        let messages_max = bytes.len() as u64 / 8;
        assert!(wire.idle_messages() <= messages_max, "more messages than their headers");
        steps
    });
    (cost, error)
}

fn receive_all(
    manner: Manner,
    wire: &mut ReceiveWire,
    ledger: &mut Option<Arc<Ledger>>,
    mut rest: &[u8],
) -> (u64, Option<Error>) {
    let (mut steps, mut offer) = (0, None);
    let piece = if manner.has(Manner::SLOW) { 1 } else { usize::MAX };
    let more = (manner.has(Manner::STREAMS) || manner.has(Manner::JOINS)).then_some((2, [7; 16]));
    loop {
        steps += 1;
        match wire.want() {
            Want::Control(most) => {
                assert!(most > 0 && most <= CONTROL_BYTES_MAX, "it wants {most} bytes");
                let Some((heard, after)) = rest.split_at_checked(most.min(piece).min(rest.len())) else {
                    break;
                };
                rest = after;
                if heard.is_empty() {
                    break;
                }
                match wire.hear(heard) {
                    Ok(Some(Heard::Offer(heard))) => offer = Some(heard),
                    // Which transfer it joins is not the wire's to know.
                    Ok(Some(Heard::Join(_))) => break,
                    Ok(_) => {}
                    Err(error) => {
                        assert!(
                            wire.give_up(&Farewell::from(&*error.to_string())).len() < 2 << 10,
                            "a long reason"
                        );
                        return (steps, Some(error));
                    }
                }
            }
            // What is to come is no array: another one takes it.
            Want::Decision if offer.is_none() && ledger.is_none() => break,
            Want::Decision => {
                let is_offered_whole = offer.as_deref().is_some_and(|offer: &Offer| offer.handoff.is_some());
                let ledger = ledger.get_or_insert_with(|| {
                    let offer = offer.as_ref().expect("an offer comes before its decision");
                    ledger_for(manner, offer)
                });
                if ledger.recorded_bytes() == 0 && manner.has(Manner::HANDOFF) && is_offered_whole {
                    let _ = wire.accept_handoff(ledger);
                } else {
                    let answer = wire.accept(ledger, more).expect("an offer that was just made");
                    assert!(answer.len() < 1 << 10, "a long answer");
                }
            }
            Want::Data { at, len } => {
                let len = usize::try_from(len).unwrap_or(usize::MAX).min(piece).min(rest.len());
                let (data, after) = rest.split_at(len);
                rest = after;
                if data.is_empty() {
                    break;
                }
                let ledger = ledger.as_ref().expect("blocks come after a decision");
                ledger.voided(at);
                assert!(!ledger.needs_void(at), "its record is void");
                wire.absorb(data);
                wire.landed(data.len() as u64).expect("bytes that were wanted");
            }
            Want::Done => {
                assert!(wire.result().len() < 1 << 10, "a long result");
                return hear_last_word(wire, steps, piece, rest);
            }
        }
    }
    (steps, None)
}

/// The ledger of what is offered: the first block of a grid is there from before, where a receiver can say so.
fn ledger_for(manner: Manner, offer: &Offer) -> Arc<Ledger> {
    let bytes = offer.meta.byte_len();
    let can_resume = offer.grain.is_some() && offer.checksum != ChecksumKind::None && Grain::MIN.reaches_over(bytes);
    if manner.has(Manner::RESUMES) && can_resume && bytes > 0 {
        // Another grid than the sender's, as it may be.
        Ledger::resumed(bytes, offer.checksum, Grain::MIN, 2, [(0, 7)]).expect("a block of it")
    } else {
        Ledger::new(bytes, offer.checksum, 2)
    }
}

/// The array is where it belongs, and all that the sender may say is that nothing follows.
fn hear_last_word(wire: &mut ReceiveWire, mut steps: u64, piece: usize, mut rest: &[u8]) -> (u64, Option<Error>) {
    while wire.may_go_on() && !rest.is_empty() {
        steps += 1;
        let (heard, after) = rest.split_at(LAST_WORD_BYTES.min(piece).min(rest.len()));
        rest = after;
        if let Err(error) = wire.hear(heard) {
            return (steps, Some(error));
        }
    }
    assert!(wire.summary().len() < 64, "a long summary");
    (steps, None)
}

/// The first byte says how the sender behaves; the others come to it.
pub fn send_wire(input: &[u8]) {
    if let Some((manner, bytes)) = input.split_first() {
        send(Manner(*manner), bytes);
    }
}

/// A sender of 64 bytes hears these bytes, and all that follows from them is within its budget. Gives what they cost, and
/// the error that they end in, where they do.
pub fn send(manner: Manner, bytes: &[u8]) -> (Cost, Option<Error>) {
    let mut error = None;
    let cost = within(WIRE, bytes.len(), || {
        let grain = manner.has(Manner::GRID).then_some(Grain::MIN);
        let offer = Offer {
            meta: ArrayMeta::vector(Dtype::u8(), 64).expect("small"),
            name: Some("a.npy".into()),
            plain: false,
            identity: Vec::new(),
            checksum: ChecksumKind::Crc64Nvme,
            grain,
            streams: if grain.is_some() { 2 } else { 1 },
            handoff: manner.has(Manner::HANDOFF).then_some(Handoff::Sealed),
        };
        let steps;
        (steps, error) = send_all(manner, &mut SendWire::new(WireChoice::Native, offer), bytes);
        steps
    });
    (cost, error)
}

fn send_all(manner: Manner, wire: &mut SendWire, mut rest: &[u8]) -> (u64, Option<Error>) {
    // As many at most as are read at once.
    let piece = if manner.has(Manner::SLOW) { 1 } else { 4096 };
    let mut steps = 0;
    loop {
        steps += 1;
        // With 64 bytes in blocks of 16 there are at most so many steps without a byte.
        let is_waiting = match wire.step(Some(16)) {
            SendStep::Write(bytes) => {
                assert!(bytes.len() < 1 << 10, "a long message");
                false
            }
            SendStep::Data { len, .. } => {
                wire.digest()
                    .update(&[0; 64][..usize::try_from(len).expect("a block").min(64)]);
                wire.sent(len).expect("bytes that were to be sent");
                false
            }
            SendStep::Compare { len, .. } => {
                wire.digest()
                    .update(&[0; 64][..usize::try_from(len).expect("a block").min(64)]);
                wire.compared(len).expect("bytes that were to be compared");
                false
            }
            SendStep::LookAgain => {
                let end = wire.unchanged().expect("all of it was sent");
                assert!(end.len() < 128, "a long end");
                false
            }
            SendStep::HandOver => {
                assert!(wire.handoff(0).len() < 64, "a long handoff");
                wire.handed_over(manner.has(Manner::STREAMS))
                    .expect("a handoff that was asked for");
                false
            }
            SendStep::Await => true,
            SendStep::Done => return (steps, None),
        };
        let _ = wire.take_more();
        // A receiver may speak at any time.
        if is_waiting || manner.has(Manner::JOINS) {
            let (heard, after) = rest.split_at(piece.min(rest.len()));
            rest = after;
            match wire.hear(heard) {
                Err(error) => return (steps, Some(error)),
                Ok(()) if heard.is_empty() && is_waiting => return (steps, None),
                Ok(()) => {}
            }
        }
    }
}

/// A text of Python's literals: a value of two bytes, such as `1,`, becomes one of 32, in a list that grows by doubling.
const LITERAL: Budget = Budget {
    steps: [8, 0],
    allocations: [64, 4],
    total_bytes: [16 << 10, 768],
    most_bytes: [16 << 10, 384],
};

/// A header is read as its bytes come, and what was read is written and read again.
pub fn npy_header(bytes: &[u8]) {
    within(LITERAL, bytes.len(), || {
        let (mut steps, mut given) = (1, 0);
        let read = loop {
            match read_header(&bytes[..given]) {
                Ok(HeaderProgress::Need(need)) => {
                    assert!(need > given && need <= CONTROL_BYTES_MAX, "{need} bytes after {given}");
                    if need > bytes.len() {
                        return steps;
                    }
                    (given, steps) = (need, steps + 1);
                }
                read => break read,
            }
        };
        if let Ok(HeaderProgress::Done { meta, data_offset }) = read {
            assert_eq!(data_offset, given);
            let written = write_header(&meta);
            let data_offset = written.len();
            assert_eq!(read_header(&written), Ok(HeaderProgress::Done { meta, data_offset }));
        }
        steps
    });
}

/// A description is read, shown, and read again.
pub fn dtype(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    within(LITERAL, bytes.len(), || {
        for dtype in [Dtype::from_descr(text), Dtype::from_name(text)] {
            match dtype {
                Ok(dtype) => {
                    assert!((1..=1 << 30).contains(&dtype.item_size()), "an item's size");
                    assert!(dtype.name().chars().count() < 100, "a long name");
                    assert_eq!(Dtype::from_descr(dtype.descr()), Ok(dtype));
                }
                Err(error) => assert!(error.to_string().len() < 256 + 12 * bytes.len(), "a long error"),
            }
        }
        1
    });
}

/// An element becomes a text of 80 characters, made of one that is not much longer.
const ELEMENT: Budget = Budget {
    steps: [1, 0],
    allocations: [64, 512],
    total_bytes: [16 << 10, 16 << 10],
    most_bytes: [16 << 10, 4 << 10],
};

/// The first line describes an element, and elements follow.
pub fn preview(bytes: &[u8]) {
    let line = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (descr, rest) = bytes.split_at(line);
    let Some(dtype) = std::str::from_utf8(descr)
        .ok()
        .and_then(|descr| Dtype::from_descr(descr).ok())
    else {
        return;
    };
    let rest = rest.get(1..).unwrap_or_default();
    let count = rest.len() / dtype.item_size();
    within(ELEMENT, count, || {
        let values = values(&dtype, rest);
        assert_eq!(values.len(), count);
        for value in &values {
            assert!(value.to_string().chars().count() < 400, "a long text");
        }
        1
    });
}

/// A header's name and value are copied, and a few of them twice more.
const HTTP: Budget = Budget {
    steps: [1, 0],
    allocations: [64, 1],
    total_bytes: [16 << 10, 512],
    most_bytes: [16 << 10, 256],
};

/// The head of a web server's answer.
pub fn http_answer(bytes: &[u8]) {
    within(HTTP, bytes.len(), || {
        let _ = parsers::http_answer(bytes);
        1
    });
}

/// Ends an answer of a web server: the next one comes over the next connection.
const NEXT_CONNECTION: &[u8] = b"\n--\n";

/// The library has 384 KiB of buffers a connection, of which there are as many as redirects are followed, and three times
/// that. A head is copied into a map, and some of that into what is known of a file.
const FETCH: Budget = Budget {
    steps: [64, 1],
    allocations: [1 << 10, 2],
    total_bytes: [20 << 20, 4 << 10],
    most_bytes: [1 << 20, 1 << 10],
};

/// The first byte says whether bytes are taken one at a time. What a web server sends over one connection after the other
/// follows.
pub fn web_server(input: &[u8]) {
    let Some((is_slow, bytes)) = input.split_first() else {
        return;
    };
    within(FETCH, bytes.len(), || {
        let is_next = |window: &[u8]| window == NEXT_CONNECTION;
        let mut rest = Some(bytes);
        let answers = std::iter::from_fn(|| {
            let answer = rest?;
            let end = answer.windows(NEXT_CONNECTION.len()).position(is_next);
            rest = end.map(|end| &answer[end + NEXT_CONNECTION.len()..]);
            Some(&answer[..end.unwrap_or(answer.len())])
        });
        // As many as are asked for at most: a file and a part of it, each where redirects lead to, and what it is now.
        let heard = parsers::web_server(answers.take(24), if is_slow & 1 != 0 { 1 } else { 64 << 10 });
        assert!(heard.bytes <= bytes.len() as u64, "more bytes than came");
        heard.takes
    });
}

/// What a proxy answers is said to people, and no byte more is read than it says.
const PROXY: Budget = Budget {
    steps: [1, 0],
    allocations: [64, 0],
    total_bytes: [8 << 10, 24],
    most_bytes: [4 << 10, 16],
};

/// The first byte says what the proxy speaks, and whether it is told a name.
pub fn proxy_answer(input: &[u8]) {
    const PROXIES: [&str; 8] = [
        "http://p",
        "http://u:secret@p",
        "socks4://p",
        "socks4a://u@p",
        "socks5://p",
        "socks5://u:secret@p",
        "socks5h://p",
        "socks5h://u:secret@p",
    ];
    let Some((proxy, bytes)) = input.split_first() else {
        return;
    };
    within(PROXY, bytes.len(), || {
        let heard = parsers::proxy_answer(PROXIES[usize::from(*proxy) % PROXIES.len()], bytes);
        match heard {
            Ok(left) => assert!(left < bytes.len() as u64, "a way without an answer"),
            Err(why) => {
                assert!(why.len() < 512, "a long reason");
                let is_its_own = bytes.windows(6).any(|window| window == b"secret");
                assert!(is_its_own || !why.contains("secret"), "{why}");
            }
        }
        1
    });
}

/// A line is read into a tree, as it is of one of several kinds, and events are kept for their reader.
const LINES: Budget = Budget {
    steps: [1, 0],
    allocations: [512, 8],
    total_bytes: [256 << 10, 2 << 10],
    most_bytes: [256 << 10, 1 << 10],
};

/// The first byte says which end hears the lines: a service those of its worker or of a stranger, or a worker those of its
/// service, without descriptors or with them.
pub fn worker_lines(input: &[u8]) {
    let Some((end, lines)) = input.split_first() else {
        return;
    };
    within(LINES, lines.len(), || {
        match end & 3 {
            0 => assert!(parsers::worker_lines(lines, false), "a service without a socket"),
            1 => assert!(parsers::worker_lines(lines, true), "a service without a socket"),
            end => {
                let handed_over = parsers::service_lines(lines, end == 3).unwrap_or(0);
                assert!(handed_over <= lines.len() / 8, "more connections than lines");
            }
        }
        1
    });
}

/// Which kind of line it is shows only after all of it is read into a tree, for each kind once.
const JSON: Budget = Budget {
    steps: [1, 0],
    allocations: [64, 4],
    total_bytes: [16 << 10, 1024],
    most_bytes: [16 << 10, 512],
};

/// A line on a control socket, in either direction.
pub fn control_message(bytes: &[u8]) {
    within(JSON, bytes.len(), || {
        let _ = parsers::control_message(bytes);
        1
    });
}

/// Messages are copied, and each is answered by a short one.
const HANDSHAKE: Budget = Budget {
    steps: [2, 0],
    allocations: [64, 1],
    total_bytes: [4 << 10, 16],
    most_bytes: [4 << 10, 16],
};

/// The first byte says which end this is.
pub fn recipe_handshake(input: &[u8]) {
    let Some((is_listener, bytes)) = input.split_first() else {
        return;
    };
    within(HANDSHAKE, bytes.len(), || {
        let (said, _) = parsers::recipe_handshake(is_listener & 1 != 0, bytes);
        assert!(said.len() < 256, "a long answer");
        1
    });
}
