#!/usr/bin/env bash
# Which button egui calls clicked where a row of buttons grows between the press and the release.
#
# A good guess: a click is for the button that was under the pointer at the press and at the release. Where the row gets
# another button meanwhile, and the pressed one stays where it is, the pressed one is clicked.
#
# What happens (egui 0.37.0, src/interaction.rs and src/ui.rs): the press keeps the id of the button, and the release calls
# whatever has that id by then clicked; where the pointer is does not count. Ids that nobody gives come from the order in
# which things are drawn, so that a new button in front of the pressed one takes its id, and is the one that is clicked:
# away from the pointer, and never pressed. Here Cancel is pressed and released, and Pause is clicked. `push_id` with a
# name of each button is no way out: ids within it come from the name and from the order, and now none is clicked. The
# pressed one is where `UiBuilder::scope_id` gives it an id of its own. In a list whose rows change while people click,
# each button needs one, made of what it does.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export TMPDIR=$folder
cd "$folder"
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "clicks"
version = "0.0.0"
edition = "2024"

[dependencies]
egui = "=0.37.0"
TOML
cat >src/main.rs <<'RUST'
use egui::{
    Context, Event, Id, Modifiers, PointerButton, Pos2, RawInput, Rect, Response, Ui, UiBuilder, pos2, vec2,
};

#[derive(Clone, Copy)]
enum Ids {
    Nobodys,
    Pushed,
    Own,
}

/// Draws a row: Cancel always in the same place, and perhaps Pause before it. Says what was clicked, and where both are.
fn draw(ctx: &Context, has_pause: bool, ids: Ids, events: Vec<Event>) -> (Vec<&'static str>, Rect, Rect) {
    let mut input = RawInput { events, ..RawInput::default() };
    input.screen_rect = Some(Rect::from_min_size(Pos2::ZERO, vec2(400.0, 100.0)));
    let (mut clicked, mut cancel_at, mut pause_at) = (Vec::new(), Rect::NOTHING, Rect::NOTHING);
    let mut output = ctx.run_ui(input, |ui| {
        let button = |ui: &mut Ui, name: &'static str, x: f32| -> Response {
            let rect = Rect::from_min_size(pos2(x, 20.0), vec2(80.0, 20.0));
            let draw = |ui: &mut Ui| ui.put(rect, egui::Button::new(name));
            match ids {
                Ids::Nobodys => draw(ui),
                Ids::Pushed => ui.push_id(name, draw).inner,
                Ids::Own => ui.scope_builder(UiBuilder::new().scope_id(Id::unique(name)), draw).inner,
            }
        };
        if has_pause {
            let pause = button(ui, "Pause", 100.0);
            pause_at = pause.rect;
            if pause.clicked() {
                clicked.push("Pause");
            }
        }
        let cancel = button(ui, "Cancel", 200.0);
        cancel_at = cancel.rect;
        if cancel.clicked() {
            clicked.push("Cancel");
        }
    });
    // Nothing is painted.
    output.textures_delta.clear();
    (clicked, cancel_at, pause_at)
}

fn click_while_the_row_grows(ids: Ids) -> (Vec<&'static str>, bool) {
    let ctx = Context::default();
    let (_, cancel_at, _) = draw(&ctx, false, ids, Vec::new());
    let pos = cancel_at.center();
    let button = |pressed| Event::PointerButton {
        pos,
        button: PointerButton::Primary,
        pressed,
        modifiers: Modifiers::NONE,
    };
    draw(&ctx, false, ids, vec![Event::PointerMoved(pos)]);
    draw(&ctx, false, ids, vec![button(true)]);
    draw(&ctx, true, ids, Vec::new());
    let (clicked, cancel_at, pause_at) = draw(&ctx, true, ids, vec![button(false)]);
    (clicked, cancel_at.contains(pos) && !pause_at.contains(pos))
}

fn main() {
    let cases = [Ids::Nobodys, Ids::Pushed, Ids::Own].map(click_while_the_row_grows);
    let stays = cases.iter().all(|(_, stays)| *stays);
    println!("the pointer is over Cancel alone, from the press to the release: {stays}");
    let [nobodys, pushed, own] = cases.map(|(clicked, _)| clicked);
    println!("clicked, with ids that nobody gave: {nobodys:?}");
    println!("clicked, with push_id by name: {pushed:?}");
    println!("clicked, with scope_id by name: {own:?}");
    assert!(stays);
    let expected: [Vec<&str>; 3] = [vec!["Pause"], vec![], vec!["Cancel"]];
    assert_eq!([nobodys, pushed, own], expected, "this has changed");
}
RUST
cargo run --quiet >said
cargo tree --quiet --depth 1 --prefix none | grep egui
cat said
