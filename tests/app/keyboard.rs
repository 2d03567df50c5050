//! The keyboard alone: the Tab key reaches everything, in the order in which it is read, and what has the focus is seen
//! and said.

use std::collections::HashSet;

use arraylift::internals::app::{Form, Phase, View};
use eframe::egui::{Key, Pos2, Rect, Role, accesskit};
use egui_kittest::kittest::{AccessKitNode, By, NodeT as _, Queryable as _};

use super::{Window, open_form, phase, recorded, several, sized, type_into, until, until_shown, watched, with_form};

/// More stops than any page has.
const STOPS_MAX: usize = 150;

/// Where the Tab key stops.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stop {
    id: accesskit::NodeId,
    pub(super) role: Role,
    pub(super) name: String,
    rect: Rect,
}

/// What has the focus, if anything has.
pub(super) fn focused(window: &Window) -> Option<Stop> {
    let nodes = window.query_all(By::new().predicate(|node| node.is_focused() && !node.is_hidden()));
    let node = nodes
        .last()
        .filter(|node| node.accesskit_node().role() != Role::Window)?;
    let said = node.accesskit_node();
    Some(Stop {
        id: said.locate().0,
        role: said.role(),
        name: said.label().unwrap_or_default(),
        rect: node.rect(),
    })
}

/// All that is painted there.
fn painted(window: &Window, place: Rect) -> HashSet<String> {
    let shapes = window.output().shapes.iter();
    let there = shapes.filter(|clipped| clipped.shape.visual_bounding_rect().intersects(place));
    there.map(|clipped| format!("{:?}", clipped.shape)).collect()
}

/// What is wrong with the stops of the Tab key, from the first until it comes back there: each is to be named, in sight,
/// to look another way than without the focus, and to follow the one before it as one reads.
fn faults(window: &mut Window) -> Vec<String> {
    let mut faults = Vec::new();
    let mut stops: Vec<Stop> = Vec::new();
    let mut with_focus = HashSet::new();
    let screen = Rect::from_min_size(Pos2::ZERO, window.ctx.content_rect().size());
    window.ctx.memory_mut(|memory| {
        if let Some(id) = memory.focused() {
            memory.surrender_focus(id);
        }
    });
    window.run();
    // A question keeps the focus.
    stops.extend(focused(window));
    for _ in 0..STOPS_MAX {
        window.key_press(Key::Tab);
        window.run();
        if focused(window).is_none() {
            // From the last stop to the first one it takes a frame more.
            window.step();
        }
        let before = stops.last().filter(|before| focused(window).as_ref() != Some(before));
        if let Some(before) = before
            && painted(window, before.rect.expand(3.0)) == with_focus
        {
            faults.push(format!("it is not seen that it has the focus: {before:?}"));
        }
        let Some(stop) = focused(window) else {
            faults.push(format!("nothing has the focus after {:?}", stops.last()));
            return faults;
        };
        if stops.iter().any(|other| other.id == stop.id) {
            faults.extend(not_reached(window, &stops));
            if stops[0].id != stop.id {
                faults.push(format!("a trap: {:?} leads back to {stop:?}", stops.last()));
            }
            return faults;
        }
        if stop.name.trim().is_empty() {
            faults.push(format!("no name: {stop:?}"));
        }
        if [Role::Unknown, Role::GenericContainer, Role::Label].contains(&stop.role) {
            faults.push(format!("no role: {stop:?}"));
        }
        if !screen.contains_rect(stop.rect.shrink(1.0)) {
            faults.push(format!("out of sight: {stop:?}"));
        }
        // Where the one before it is now: what gets the focus may have been scrolled to.
        if let Some((before, rect)) = stops
            .last()
            .and_then(|before| Some((before, place(window, before.id)?)))
            && !follows(rect, stop.rect)
        {
            faults.push(format!("out of order: {stop:?} after {before:?}"));
        }
        with_focus = painted(window, stop.rect.expand(3.0));
        stops.push(stop);
    }
    faults.push(format!("no end after {STOPS_MAX} stops"));
    faults
}

/// Controls that are a stop of the Tab key each.
const SINGLE: [Role; 6] = [
    Role::Button,
    Role::CheckBox,
    Role::ComboBox,
    Role::DisclosureTriangle,
    Role::Slider,
    Role::TextInput,
];

/// The controls at which the Tab key does not stop, of a dialog where there is one. Members of a group, such as tabs and
/// choices, are reached by the arrows, and so are the buttons of another row of a list.
fn not_reached(window: &Window, stops: &[Stop]) -> Vec<String> {
    let all = |roles: &'static [Role]| {
        window.query_all(By::new().predicate(move |node| {
            let is_shown = node.raw_bounds().is_some() && !node.is_hidden();
            roles.contains(&node.role()) && is_shown && !node.is_disabled()
        }))
    };
    let rows: Vec<Rect> = all(&[Role::ListItem]).map(|row| row.rect()).collect();
    let is_of_row = |place: Rect| rows.iter().any(|row| row.contains_rect(place));
    let is_dialog = window.query_by_role(Role::Dialog).is_some();
    let is_in_dialog = |said: &AccessKitNode<'_>| {
        let around = std::iter::successors(said.parent(), AccessKitNode::parent);
        around.into_iter().any(|node| node.role() == Role::Dialog)
    };
    all(&SINGLE)
        .filter(|control| !is_of_row(control.rect()))
        .map(|control| control.accesskit_node())
        .filter(|said| !is_dialog || is_in_dialog(said))
        .filter(|said| !stops.iter().any(|stop| stop.id == said.locate().0))
        .map(|said| format!("not reached: {:?} {:?}", said.role(), said.label()))
        .collect()
}

/// Where a node is.
fn place(window: &Window, id: accesskit::NodeId) -> Option<Rect> {
    let mut nodes = window.query_all(By::new().predicate(move |node| node.locate().0 == id));
    nodes.next().map(|node| node.rect())
}

/// Whether what is at `next` is read after what is at `before`: it is to the right of it on the same line, in a line below
/// it, or in a column to the right.
fn follows(before: Rect, next: Rect) -> bool {
    let shared = before.y_range().intersection(next.y_range()).span();
    let is_same_line = shared > 0.5 * before.height().min(next.height());
    if is_same_line {
        next.center().x > before.center().x
    } else {
        next.center().y > before.center().y || next.left() >= before.right() - 1.0
    }
}

/// A page in a state, with its name.
type Page = (&'static str, fn(&mut Window));

const PAGES: [Page; 15] = [
    ("the empty page", |_| {}),
    ("the form", open_form),
    ("all fields of the form", |window| {
        open_form(window);
        window.state_mut().settings_mut().advanced_open = true;
        for choice in ["Source: File", "Into: File"] {
            window.run();
            window.get_by_label(choice).click();
        }
    }),
    ("transfers", |window| several(window.state_mut())),
    ("a failed transfer", |window| {
        several(window.state_mut());
        window.key_press(Key::ArrowDown);
    }),
    ("an interruption", |window| {
        super::interrupted::broken(window.state_mut(), false);
    }),
    ("a transfer that is tried again", |window| {
        super::interrupted::broken(window.state_mut(), true);
    }),
    ("a folder on its way", |window| {
        super::trees::receives(window.state_mut(), 1);
    }),
    ("a folder of which some failed", |window| {
        let (_, id) = super::trees::receives(window.state_mut(), 1);
        super::trees::ends(window.state_mut(), id, super::trees::items(300, 20));
    }),
    ("a service", |window| {
        let services = window.state_mut().services_mut();
        services.note_command(4711, "serve 127.0.0.1:25000".to_owned());
        services.note_status(4711, arraylift::internals::Status::default());
        watched(window.state_mut(), 4711, 1);
    }),
    ("a comparison", |window| {
        super::compare::shows_result(window.state_mut());
        window.state_mut().show(View::Compare);
    }),
    ("a question", |window| {
        recorded(window.state_mut(), 1, &Form::default());
        window.run();
        window.key_press(Key::Delete);
    }),
    ("settings", |window| window.state_mut().show(View::Settings)),
    ("help", |window| window.state_mut().show(View::Help)),
    ("round trips", |window| window.state_mut().show(View::RoundTrips)),
];

/// Pages of a history that has two runs.
const HISTORY: [Page; 2] = [
    ("the history", |window| {
        window.state_mut().show(View::History);
        until_shown(window, "Again");
    }),
    ("two runs compared", |window| {
        window.state_mut().show(View::History);
        until_shown(window, "range 0 … 2000");
        until_shown(window, "Again");
        window.get_by_label_contains("range 0 … 1000 into memory").hover();
        window.run();
        window.get_by_label_contains("Lay over: range 0 … 1000").click();
        until_shown(window, "B has more");
        window.remove_cursor();
    }),
];

fn faults_of(pages: &[Page], prepared: impl Fn(&mut Window)) -> String {
    let mut all = Vec::new();
    for (width, height) in [(1280.0, 800.0), (900.0, 600.0)] {
        for (name, prepare) in pages {
            let mut window = sized(width, height);
            window.state_mut().stop_clock(7.1);
            prepared(&mut window);
            prepare(&mut window);
            window.run();
            let faults = faults(&mut window).into_iter();
            all.extend(faults.map(|fault| format!("{name}, {width} by {height}: {fault}")));
        }
    }
    all.join("\n")
}

#[test]
fn the_tab_key_goes_round_every_page_and_what_has_the_focus_is_named_and_seen() {
    let faults = faults_of(&PAGES, |_| {});
    assert!(faults.is_empty(), "{faults}");
}

#[test]
fn the_tab_key_goes_round_the_history_and_two_of_its_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let mut window = with_form();
    window.state_mut().keep_history_at(Some(path.clone()));
    for (at, to) in [(1, "1000"), (2, "2000")] {
        open_form(&mut window);
        type_into(&mut window, "To (not included)", to);
        window.get_by_label("Start").click();
        until(&mut window, "done", |app| {
            app.transfers().own_rows().len() == at && matches!(phase(app), Some(Phase::Done { .. }))
        });
    }
    // What ended is there once the window has gone.
    drop(window);
    let faults = faults_of(&HISTORY, |window| {
        window.state_mut().keep_history_at(Some(path.clone()));
    });
    assert!(faults.is_empty(), "{faults}");
}

#[test]
fn what_breaks_is_given_up_and_discarded_by_the_keyboard_alone() {
    let mut window = sized(1280.0, 800.0);
    super::interrupted::broken(window.state_mut(), true);
    window.run();
    let press = |window: &mut Window, name: &str, key: Key| {
        for _ in 0..STOPS_MAX {
            if focused(window).is_some_and(|stop| stop.name == name) {
                window.key_press(key);
                window.run_steps(3);
                return;
            }
            window.key_press(Key::Tab);
            window.run_steps(2);
        }
        panic!("the Tab key does not lead to {name}");
    };
    assert_eq!(window.state().transfers().running(), 1, "it is to be tried again");
    press(&mut window, "Stop trying", Key::Enter);
    assert_eq!(window.state().transfers().running(), 0);
    window.get_by_label("Interrupted: 1");
    // What comes right after the end was meant to stop it.
    std::thread::sleep(std::time::Duration::from_millis(600));
    press(&mut window, "Discard", Key::Space);
    assert!(window.state().transfers().rows().is_empty());
}
