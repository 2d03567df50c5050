//! What the history keeps of a transfer, in the words of the window.

use super::format;
use crate::app::words::{causes, say, spoken};
use crate::documents::markdown_table;
use crate::history::{Compared, Ending, Entry, SHARE_MIN, Way};
use crate::language::Language;
use crate::telemetry::Cause;
use crate::transfer::Items;

/// What moved, from where to where: `a.npy to 10.0.0.7:25000`.
#[must_use]
pub(crate) fn what(entry: &Entry) -> String {
    let source = match &entry.source {
        Some(source) if entry.items.is_some() => say!("entry-folder", what = source),
        Some(source) => source.clone(),
        None if entry.outcome == Ending::Damaged => "?".to_owned(),
        None if entry.items.is_some() => say!("entry-a-folder").to_owned(),
        // The other end told nothing of it.
        None => say!("entry-an-array").to_owned(),
    };
    let what = match entry.transfers {
        0 | 1 => source,
        all => say!("entry-and-more", what = source, count = all - 1),
    };
    match (entry.way, &entry.peer, entry.path.as_ref().or(entry.sink.as_ref())) {
        (Way::Send, Some(peer), _) => say!("entry-to", what = what, place = peer),
        (Way::Receive, Some(peer), _) => say!("entry-from", what = what, place = peer),
        (Way::Loopback | Way::Fetch, _, Some(place)) => match place.as_str() {
            "memory" => say!("entry-into-memory", what = what),
            "discard" => say!("entry-discarded", what = what),
            path => say!("entry-into", what = what, place = path),
        },
        _ => what,
    }
}

/// When it began, here: `29 Nov 2026, 16:46:32`.
#[must_use]
pub(crate) fn when(entry: &Entry) -> String {
    format::moment(entry.began_unix_ms)
}

/// How it ended: `done, verified, on disk`.
#[must_use]
pub(crate) fn how_it_ended(entry: &Entry) -> String {
    let failed = entry
        .items
        .as_ref()
        .map(|items| items.failed)
        .filter(|failed| *failed > 0);
    let failed = failed.map(|count| say!("items-failed", count = count));
    let outcome = match entry.outcome {
        Ending::Done => say!("entry-done"),
        Ending::Failed => say!("entry-failed"),
        Ending::Cancelled => say!("entry-cancelled"),
        Ending::Damaged => say!("entry-damaged"),
    };
    let verified = entry.verified.map(|is_so| {
        if is_so {
            say!("entry-verified")
        } else {
            say!("entry-not-verified")
        }
    });
    let durable = entry.durable.map(|is_so| {
        if is_so {
            say!("entry-on-disk")
        } else {
            say!("entry-not-synced")
        }
    });
    let [verified, durable] = [verified, durable].map(|words| words.filter(|_| entry.outcome == Ending::Done));
    let words = [Some(outcome), failed.as_deref(), verified, durable];
    let words: Vec<&str> = words.into_iter().flatten().collect();
    words.join(say!("comma"))
}

/// What the limit was, with the evidence in the language in which that was kept.
#[must_use]
pub(crate) fn sentence(entry: &Entry) -> Option<String> {
    let kept = entry.sentence.as_ref()?;
    Some(match (spoken(), shares(entry).first()) {
        (Language::English, _) | (_, None) => kept.clone(),
        (_, Some(&(cause, percent))) => say!("entry-limit", cause = causes::name(cause), percent = percent),
    })
}

/// What is known of it, a name and a value each, without what is not known.
#[must_use]
pub(crate) fn facts(entry: &Entry) -> Vec<(&'static str, String)> {
    let bytes = match entry.total_bytes {
        Some(total) if total != entry.bytes && entry.transfers <= 1 => format::done_of(entry.bytes, total),
        _ => format::bytes(entry.bytes).to_string(),
    };
    let there = (entry.resumed_bytes > 0).then(|| say!("entry-before", bytes = format::bytes(entry.resumed_bytes)));
    let (time, rate) = (format::duration(entry.seconds), format::rate(entry.rate_bytes_per_s));
    let cpu = |cpu_s: Option<f64>| cpu_s.map(format::duration);
    let array = |dtype: &String| format!("{dtype} {:?}", entry.shape);
    let facts = [
        (
            say!("entry-name-began"),
            Some(format!("{} ({})", when(entry), entry.began_utc())),
        ),
        (say!("entry-name-ended"), Some(how_it_ended(entry))),
        (say!("entry-name-message"), entry.message.clone()),
        (
            say!("entry-name-moved"),
            Some(say!("entry-moved", bytes = bytes, time = time, rate = rate)),
        ),
        (say!("entry-name-before"), there),
        (
            say!("entry-name-array"),
            entry.dtype.as_ref().filter(|_| entry.items.is_none()).map(array),
        ),
        (say!("entry-name-folder"), entry.items.as_ref().map(items_in_words)),
        (say!("entry-name-sync"), entry.sync_s.map(format::duration)),
        (say!("entry-name-checksum"), entry.checksum.clone()),
        (say!("entry-name-path"), entry.path.clone()),
        (say!("entry-name-peer"), entry.peer.clone()),
        (say!("entry-name-how"), Some(how(entry))),
        (say!("entry-name-sender-cpu"), cpu(entry.sender_cpu_s)),
        (say!("entry-name-receiver-cpu"), cpu(entry.receiver_cpu_s)),
        (say!("entry-name-limit"), sentence(entry)),
        (say!("entry-name-shares"), Some(shares_in_words(entry))),
    ];
    let known = |(name, value): (&'static str, Option<String>)| Some((name, value.filter(|value| !value.is_empty())?));
    facts.into_iter().filter_map(known).collect()
}

/// A heading and a table, as Markdown.
#[must_use]
pub(crate) fn markdown(entry: &Entry) -> String {
    markdown_table(&what(entry), &facts(entry))
}

/// The name of a number that two of them have.
#[must_use]
pub(crate) fn label(number: &Compared) -> &'static str {
    match number.name {
        "rate_bytes_per_s" => say!("entry-rate"),
        "seconds" => say!("entry-took"),
        "bytes" => say!("entry-bytes"),
        "sync_s" => say!("entry-name-sync"),
        "sender_cpu_s" => say!("entry-sender-cpu"),
        "receiver_cpu_s" => say!("entry-receiver-cpu"),
        _ => number.label,
    }
}

/// What became of the items of a folder.
fn items_in_words(items: &Items) -> String {
    let known = say!("items-all", count = items.known.max(items.settled()));
    let counted = |count: u64| Some(count).filter(|count| *count > 0);
    let parts = [
        counted(items.stored).map(|count| say!("items-stored", count = count)),
        counted(items.had).map(|count| say!("items-had", count = count)),
        counted(items.failed).map(|count| say!("items-failed", count = count)),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        return known;
    }
    say!("labelled", name = known, value = parts.join(say!("comma")))
}

fn how(entry: &Entry) -> String {
    let wire = entry.wire.as_ref().map(|wire| say!("entry-wire", wire = wire));
    let leaves = entry.send_route.as_ref();
    let leaves = leaves.map(|route| say!("entry-leaves", route = route));
    let lands = entry.receive_route.as_ref();
    let lands = lands.map(|route| say!("entry-lands", route = route));
    let streams = (entry.streams > 1).then(|| say!("entry-connections", count = entry.streams));
    let parts: Vec<String> = [wire, leaves, lands, streams].into_iter().flatten().collect();
    parts.join(say!("comma"))
}

fn shares_in_words(entry: &Entry) -> String {
    let each = shares(entry).into_iter();
    let each = each.map(|(cause, percent)| format!("{} {percent} %", causes::name(cause)));
    each.collect::<Vec<_>>().join(say!("comma"))
}

/// Its limits with their shares in per cent, the largest first.
fn shares(entry: &Entry) -> Vec<(Cause, u32)> {
    let shares = entry.shares.iter().filter(|(_, share)| *share >= SHARE_MIN);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "of 1, in per cent"
    )]
    let percent = |share: f64| (share * 100.0).round_ties_even() as u32;
    shares.map(|(cause, share)| (*cause, percent(*share))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::words::speak;
    use crate::history;

    fn entry() -> Entry {
        Entry {
            source: Some("a.npy".into()),
            sink: Some("memory".into()),
            path: Some("/data/a.npy".into()),
            peer: Some("10.0.0.7:25000".into()),
            dtype: Some("f64".into()),
            shape: vec![2, 3],
            bytes: 2_000_000,
            total_bytes: Some(3_000_000),
            message: Some("it is there already".into()),
            verified: Some(true),
            durable: Some(false),
            checksum: Some("xxh3 1f".into()),
            rate_bytes_per_s: 4e9,
            seconds: 62.0,
            sync_s: Some(0.5),
            sentence: Some("The network was the limit 62 % of the time: no evidence.".into()),
            shares: vec![(Cause::Network, 0.625), (Cause::Sender, 0.375), (Cause::Limit, 0.001)],
            streams: 4,
            wire: Some("native".into()),
            send_route: Some("write".into()),
            receive_route: Some("recv".into()),
            sender_cpu_s: Some(1.0),
            receiver_cpu_s: Some(2.0),
            ..Entry::default()
        }
    }

    #[test]
    fn in_english_the_window_says_what_the_terminal_says() {
        let ways = [Way::Loopback, Way::Send, Way::Receive, Way::Fetch];
        let endings = [Ending::Done, Ending::Failed, Ending::Cancelled, Ending::Damaged];
        for (way, outcome) in ways.into_iter().flat_map(|way| endings.map(|ending| (way, ending))) {
            let whole = Entry {
                way,
                outcome,
                ..entry()
            };
            let bare = Entry {
                way,
                outcome,
                ..Entry::default()
            };
            let several = Entry {
                transfers: 2000,
                source: None,
                verified: Some(false),
                durable: Some(true),
                ..whole.clone()
            };
            let [in_memory, discarded] = ["memory", "discard"].map(|sink| Entry {
                path: None,
                sink: Some(sink.into()),
                ..whole.clone()
            });
            let folder = Entry {
                items: Some(Items {
                    stored: 1200,
                    had: 3,
                    failed: 1,
                    known: 1204,
                    ..Items::default()
                }),
                ..whole.clone()
            };
            let nothing = Entry {
                items: Some(Items::default()),
                source: None,
                ..whole.clone()
            };
            let resumed = Entry {
                resumed_bytes: 12 << 20,
                ..whole.clone()
            };
            for entry in [whole, bare, several, in_memory, discarded, folder, nothing, resumed] {
                assert_eq!(what(&entry), entry.what());
                // The terminal writes dates as they are typed there.
                let told = |fact: (&'static str, String)| (fact.0, fact.1.replace(&entry.when(), &when(&entry)));
                let as_in_terminal: Vec<_> = history::facts(&entry).into_iter().map(told).collect();
                assert_eq!(facts(&entry), as_in_terminal);
                assert_eq!(
                    markdown(&entry),
                    history::markdown(&entry).replace(&entry.when(), &when(&entry))
                );
            }
        }
        for number in history::differences(&entry(), &entry()) {
            assert_eq!(label(&number), number.label);
        }
    }

    #[test]
    fn what_was_there_already_is_told_where_a_transfer_went_on() {
        let resumed = Entry {
            resumed_bytes: 12_000_000,
            ..entry()
        };
        let before = |entry: &Entry| {
            let name = say!("entry-name-before");
            facts(entry).into_iter().find(|fact| fact.0 == name).map(|fact| fact.1)
        };
        assert_eq!(before(&resumed).as_deref(), Some("12.0 MB were there already"));
        assert_eq!(before(&entry()), None);
        speak(Language::Chinese);
        assert_eq!(before(&resumed).as_deref(), Some("已有 12.0 MB"));
    }

    #[test]
    fn in_chinese_only_names_and_what_others_said_stay_as_they_were_kept() {
        speak(Language::Chinese);
        assert_eq!(
            sentence(&entry()).as_deref(),
            Some("瓶颈主要是网络：占 62\u{a0}% 的时间。")
        );
        assert_eq!(what(&entry()), "a.npy 存入 /data/a.npy");
        assert_eq!(how_it_ended(&entry()), "完成，已校验，未同步");
    }
}
