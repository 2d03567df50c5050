//! The instrument: everything that is shown of the selected transfer. `layout` says where, the others draw.

mod band;
mod facts;
mod hero;
mod items;
mod layout;
mod limit;
mod message;
pub(super) mod picks;
mod picture;
pub(crate) mod plot;
mod sentences;
mod text;
mod title;
mod values;

use eframe::egui::{Id, Rect, ScrollArea, Sense, Ui, UiBuilder, pos2};

use crate::app::action::Action;
use crate::app::model::plot_view::{PlotView, SecondPlot};
use crate::app::model::row::{Numbers, Row, RowKey};
use crate::app::model::second_plot::{SecondScene, Shows};
use crate::app::widgets::scrolled_page;
use crate::compare::ceilings::Ceilings;
use layout::{Body, Head, PADDING, Second, Size};
pub(crate) use message::sentence;
use plot::scene::Scene;

/// What is known of the highest rates that this machine can reach.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CeilingsStatus<'a> {
    /// Where they were measured.
    pub known: Option<&'a Ceilings>,
    /// Whether they can be measured now: nothing else runs.
    pub can_measure: bool,
    /// Whether they are being measured.
    pub is_measuring: bool,
}

/// What the instrument shows besides the row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    /// What this machine can do.
    pub ceilings: CeilingsStatus<'a>,
    /// How plots are looked at.
    pub view: PlotView,
    /// The time on the window's clock.
    pub now_s: f64,
    /// Whether axes ease: frames come often, and time passes.
    pub moves: bool,
}

/// Figures change so often, in seconds: more often nobody can read them.
const TEXT_S: f64 = 0.2;

/// Draws the row into all of the room.
pub(crate) fn ui(ui: &mut Ui, row: &Row, context: &Context<'_>) -> Vec<Action> {
    let size = Size::of(ui.ctx().content_rect().width(), ui.available_height());
    let scroll = ScrollArea::vertical().id_salt("instrument").auto_shrink(false);
    scrolled_page(ui, scroll, |ui| content_ui(ui, row, context, size))
}

fn content_ui(ui: &mut Ui, row: &Row, context: &Context<'_>, size: Size) -> Vec<Action> {
    let area = ui.available_rect_before_wrap();
    let head = Head::of(area, size);
    let fresh = row.numbers(context.now_s);
    let numbers = steady(ui, row, fresh, context);
    let mut actions = title::ui(ui, row, head.title);
    hero::ui(ui, row, &numbers, &head, context.ceilings.known);
    facts::ui(ui, row, &numbers, &head);
    let message_place = Rect::from_min_max(
        pos2(area.left() + PADDING, head.bottom),
        pos2(area.right() - PADDING, area.bottom()),
    );
    let message = ui.scope_builder(UiBuilder::new().max_rect(message_place), |ui| {
        ui.add_space(4.0);
        let top = ui.cursor().top();
        let action = message::ui(ui, row, context.now_s);
        (action, ui.cursor().top() > top)
    });
    let (action, has_message) = message.inner;
    actions.extend(action);
    let top = if has_message {
        message.response.rect.bottom()
    } else {
        head.bottom
    };
    if row.started().is_some() {
        let bottom = area.bottom().max(top + Body::LEAST);
        let below = Rect::from_min_max(pos2(area.left(), top), pos2(area.right(), bottom));
        actions.extend(body_ui(ui, row, (&numbers, &fresh), context, below, size));
        ui.allocate_rect(Rect::from_min_max(area.min, below.max), Sense::hover());
    }
    actions
}

/// The plot and all that belongs to it, in what is left below the rate.
fn body_ui(
    ui: &mut Ui,
    row: &Row,
    (numbers, fresh): (&Numbers, &Numbers),
    context: &Context<'_>,
    area: Rect,
    size: Size,
) -> Vec<Action> {
    let Context { view, now_s, moves, .. } = *context;
    let ceilings = context.ceilings.known;
    let scene = Scene::of(row, fresh, view, ceilings, now_s, moves);
    let axis_width = plot::axis_width(ui, &scene);
    let wanted = match view.second {
        SecondPlot::Hidden => Second::Never,
        SecondPlot::WhereRoom => Second::WhereRoom,
        SecondPlot::Of(_) | SecondPlot::EachStream => Second::Always,
    };
    let body = Body::of(area, size, axis_width, wanted, row.is_tree());
    let shows = Shows::of(view.second).filter(|_| body.second.is_some());
    let second = shows.map(|shows| SecondScene::of(row, shows, scene.time));
    let mut actions = picks::ui(ui, row, &scene, view, &context.ceilings, body.picks);
    actions.extend(plot::ui(ui, row, numbers, (&scene, second.as_ref()), &body, view));
    actions.extend(band::ui(ui, row, &scene, &body));
    let palette = crate::app::theme::palette(ui);
    plot::axes::times(ui.painter(), body.band, scene.time, body.times_y, palette);
    actions.extend(sentences::ui(ui, row, &body));
    if let Some(place) = body.array.filter(|_| row.is_tree()) {
        actions.extend(items::ui(ui, row, place));
    } else if let Some(place) = body.array {
        let (picture, place) = picture::divided(row, place);
        actions.extend(picture.and_then(|rect| picture::ui(ui, row, fresh, view, rect)));
        actions.extend(values::ui(ui, row, place));
    }
    actions
}

/// The figures as they are read: those of up to a fifth of a second ago, while it runs.
fn steady(ui: &Ui, row: &Row, fresh: Numbers, context: &Context<'_>) -> Numbers {
    type Kept = (RowKey, f64, Numbers);
    let id = Id::unique("figures");
    if !context.moves || !row.has_rate() {
        ui.data_mut(|data| data.remove::<Kept>(id));
        return fresh;
    }
    let kept = ui.data(|data| data.get_temp::<Kept>(id));
    match kept {
        Some((key, at_s, numbers)) if key == row.key && (0.0..TEXT_S).contains(&(context.now_s - at_s)) => numbers,
        _ => {
            ui.data_mut(|data| data.insert_temp(id, (row.key, context.now_s, fresh)));
            fresh
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::model::form::Form;
    use crate::app::model::plan::{Paths, check};
    use crate::transfer::{Event, EventKind, Side, State, TransferId};

    /// A row that moves.
    fn moving() -> Row {
        let recipe = check(&Form::default(), &Paths::default()).recipe.unwrap();
        let mut row = Row::new(1, recipe, 0.0);
        let state = State::Transferring;
        for side in [Side::Sender, Side::Receiver] {
            let event = Event {
                kind: EventKind::State { state },
                transfer: TransferId(1),
                side,
                elapsed_s: 0.0,
            };
            row.fold(event, 0.0);
        }
        row
    }

    /// The rates that are read in two seconds of 30 frames each, of a rate that is another one in each frame.
    fn rates_read(row: &Row, moves: bool) -> Vec<f64> {
        let ceilings = CeilingsStatus {
            known: None,
            can_measure: false,
            is_measuring: false,
        };
        let ctx = eframe::egui::Context::default();
        let mut read = Vec::new();
        for frame in 0..60_u32 {
            let context = Context {
                ceilings,
                view: PlotView::default(),
                now_s: f64::from(frame) / 30.0,
                moves,
            };
            let mut fresh = row.numbers(context.now_s);
            fresh.now = f64::from(frame);
            let mut output = ctx.run_ui(eframe::egui::RawInput::default(), |ui| {
                read.push(steady(ui, row, fresh, &context).now);
            });
            // Nobody shows it.
            output.textures_delta.clear();
        }
        read.dedup();
        read
    }

    #[test]
    fn figures_change_five_times_a_second_while_frames_come_thirty_times() {
        let row = moving();
        let read = rates_read(&row, true);
        assert!((9..=11).contains(&read.len()), "{read:?}");
        // Where frames come seldom, each has the figures of its instant.
        assert_eq!(rates_read(&row, false).len(), 60);
    }

    #[test]
    fn what_has_ended_shows_its_last_figures_at_once() {
        let mut row = moving();
        row.phase = crate::app::model::row::Phase::Cancelled;
        assert_eq!(rates_read(&row, true).len(), 60);
    }
}
