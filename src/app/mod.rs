//! The window: it starts transfers, shows what they do while they do it, and remembers how it was left.
//!
//! [`run`] opens it. `model` is pure data. `logic` runs once a frame, also while the window is hidden: it takes in what
//! other threads have told (`inbox`) and starts what may start (`launch`). `ui` lays out the `panels`, which draw the
//! model and return an [`action::Action`] for whatever a person asks for; so do the `keys`. `commands` alone applies
//! actions.

pub(crate) mod action;
mod commands;
mod comparing;
mod desktop_bus;
pub(crate) mod export;
mod exporting;
mod history;
mod icon_badge;
mod inbox;
mod keys;
mod launch;
mod logic;
mod looking;
mod minimized;
pub(crate) mod model;
mod notifying;
mod other_processes;
pub(crate) mod panels;
mod pinging;
mod placement;
mod process_end;
mod reading_values;
mod repaints;
mod settings_file;
mod system_fonts;
pub(crate) mod theme;
mod ui;
mod widgets;
mod window_threads;
pub(crate) mod words;
mod worker;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use eframe::egui;

use crate::language::Language;
use crate::rounds::{RoundEvent, Rounds};
use crate::transfer::Waker;
use comparing::Comparisons;
use desktop_bus::DesktopBus;
use export::picture::Pictures;
use history::Keeping;
use icon_badge::IconBadge;
use model::format::count_rates_in;
use model::notice::Notice;
use model::palette::Palette;
use model::place::Place;
use model::plan::{CheckedForm, Paths};
use model::repaint::CostMeter;
use model::row::RowKey;
use model::services::Services;
use model::settings::Settings;
use model::transfers::Transfers;
use model::view::{View, WindowSize};
use notifying::Notifying;
use other_processes::OtherProcesses;
use pinging::Pings;
use process_end::ProcessEnd;
use repaints::{Repaints, waker};
use system_fonts::SystemFonts;
use window_threads::WindowThreads;
use worker::{Task, Worker};

/// What was typed is kept so soon.
const SAVE_INTERVAL: Duration = Duration::from_secs(1);

/// How the window opens.
#[derive(Debug, Clone, Default)]
pub struct AppOptions {
    /// A file that is chosen as the source.
    pub path: Option<PathBuf>,
    /// What it transfers is not kept in the history.
    pub no_history: bool,
    /// It opens as an icon, or in the list of windows alone.
    pub minimized: bool,
    /// It speaks this language, whatever was chosen before.
    pub language: Option<Language>,
}

/// Opens the window and returns when it has closed and every transfer has ended.
///
/// # Errors
/// There is no display, or no renderer works.
pub(crate) fn run(options: AppOptions) -> eframe::Result {
    let viewport = egui::ViewportBuilder::default()
        .with_title("Arraylift")
        .with_app_id("arraylift")
        .with_inner_size([1280.0, 800.0])
        .with_min_inner_size([640.0, 420.0])
        .with_drag_and_drop(true)
        .with_icon(icon());
    // OpenGL starts everywhere and takes little memory. It is named because a test build has a second renderer, which
    // eframe would prefer.
    let renderer = eframe::Renderer::Glow;
    let native = eframe::NativeOptions {
        viewport,
        renderer,
        // No gradient needs it, and a software renderer pays for it with every pixel.
        dithering: false,
        // They are looked for only when there is a text that needs them.
        system_font_fallback: false,
        ..eframe::NativeOptions::default()
    };
    let asked = options.language.or_else(|| kept_settings()?.language);
    // That takes longer than to read the settings twice.
    let fonts = SystemFonts::begin(asked.unwrap_or_else(system_language));
    let create: eframe::AppCreator<'_> = Box::new(|cc| {
        if let Some(window) = cc.winit_window() {
            placement::bring_onto_a_monitor(window);
            if options.minimized {
                minimized::open_minimized(window);
            }
        }
        let mut app = App::new(cc, options);
        // Without a thread for them there are boxes in their place.
        app.system_fonts = SystemFonts::install(&cc.egui_ctx, fonts).ok();
        Ok(Box::new(app))
    });
    eframe::run_native("arraylift", native, create)
}

/// The settings as the last window left them.
fn kept_settings() -> Option<Settings> {
    settings_file::path().as_deref().and_then(settings_file::read)
}

fn system_language() -> Language {
    Language::of_environment(|name| std::env::var(name).ok())
}

fn icon() -> egui::IconData {
    eframe::icon_data::from_png_bytes(include_bytes!("../../assets/icon.png")).unwrap_or_default()
}

/// The window's state. What is kept between runs is in `settings`; the rest lives as long as the window.
pub struct App {
    settings: Settings,
    /// The settings as they were when they were kept last.
    saved: Settings,
    /// Where they are kept; nowhere by a window of a test.
    settings_file: Option<PathBuf>,
    /// The language that the window was opened with, until a person chooses another one in the settings.
    asked_language: Option<Language>,
    /// That of the system, where nobody chose one.
    system_language: Language,
    size: WindowSize,
    view: View,
    transfers: Transfers,
    /// Services of other processes.
    services: Services,
    /// Those of this window that run, by row.
    rounds: HashMap<RowKey, Arc<Rounds>>,
    process_end: ProcessEnd,
    /// Boxed: a channel has the memory for all that may wait in it from the start on.
    events: Receiver<Box<(RowKey, RoundEvent)>>,
    event_sender: Sender<Box<(RowKey, RoundEvent)>>,
    waker: Waker,
    repaints: Arc<Repaints>,
    worker: Option<Worker>,
    keeping: Keeping,
    /// Where the history is; nowhere in a window of a test.
    history_file: Option<PathBuf>,
    /// What other processes do; nothing in a window of a test.
    other_processes: Option<OtherProcesses>,
    /// What tells the desktop.
    bus: DesktopBus,
    notifying: Notifying,
    icon_badge: IconBadge,
    system_fonts: Option<SystemFonts>,
    comparisons: Comparisons,
    pings: Pings,
    history_page: model::history::Page,
    /// The page for which it was read what was done last.
    last_done_for: Option<View>,
    form: FormState,
    /// Words that the rows of the list have to have.
    filter: String,
    /// How far from the left of the strip the list hangs, where it is open.
    list_at: Option<f32>,
    /// The command palette, where it is open.
    palette: Option<Palette>,
    /// What came of something, for a while.
    notice: Option<Notice>,
    pictures: Pictures,
    question: Option<Question>,
    /// What had the focus when the last frame ended.
    focus_before: Option<egui::Id>,
    is_closing: bool,
    can_drop: bool,
    title: String,
    own_cost: OwnCost,
    clock: Clock,
    prints_frame_times: bool,
}

#[derive(Debug, Clone, Copy)]
enum Clock {
    Since(Instant),
    Stopped(f64),
}

/// What is known about the form besides what is typed.
#[derive(Debug)]
struct FormState {
    checked: CheckedForm,
    /// What is at the paths that are typed.
    paths: Paths,
    requested: RequestedPaths,
    start_when_checked: bool,
    /// When the free memory was read, on the window's clock.
    memory_read_s: Option<f64>,
    /// Whether it is open beside the comparison; `None` until a person chooses, and again when the size changes.
    unfolded: Option<bool>,
    /// Why there is no file dialog.
    dialog_trouble: Option<String>,
}

/// The paths that the worker was asked to look at.
#[derive(Debug, Default)]
struct RequestedPaths {
    source: Option<Place>,
    sink: Option<Place>,
}

impl FormState {
    fn of(settings: &Settings) -> Self {
        let paths = Paths::default();
        Self {
            checked: model::plan::check(&settings.form, &paths),
            requested: RequestedPaths::default(),
            paths,
            start_when_checked: false,
            memory_read_s: None,
            unfolded: None,
            dialog_trouble: None,
        }
    }
}

/// What the window itself costs.
#[derive(Debug, Default)]
struct OwnCost {
    meter: CostMeter,
    threads: WindowThreads,
}

/// A question in the middle of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Question {
    /// Close although transfers run?
    Close,
    /// Cancel a transfer that has run for a while?
    Cancel(RowKey),
    /// End a service of another process while transfers of it run?
    Stop(u32),
}

impl App {
    /// The window's state in an egui context, with what was remembered.
    #[must_use]
    pub fn new(cc: &eframe::CreationContext<'_>, options: AppOptions) -> Self {
        let file = settings_file::path();
        // Before they had a file of their own they were in eframe's, with the place of the window.
        let with_place = || cc.storage.and_then(|storage| eframe::get_value(storage, "settings"));
        let settings = kept_settings().or_else(with_place).unwrap_or_default();
        let keeps_history = !options.no_history && !crate::history::is_switched_off();
        let mut app = Self::with_settings(&cc.egui_ctx, settings, options);
        app.settings_file = file;
        app.system_language = system_language();
        if keeps_history {
            app.keep_history_at(crate::history::path());
        } else {
            app.history_file = crate::history::path();
            app.history_page.is_switched_off = true;
        }
        app.set_ceilings(crate::compare::ceilings::read_cached());
        app.other_processes = OtherProcesses::start(Arc::clone(&app.waker)).ok();
        app.process_end = ProcessEnd::hear(&app.waker);
        app.bus = DesktopBus::Session;
        app
    }

    /// The window's state in an egui context.
    #[must_use]
    pub fn with_settings(ctx: &egui::Context, mut settings: Settings, options: AppOptions) -> Self {
        theme::install(ctx);
        theme::choose(ctx, settings.theme);
        words::speak(options.language.or(settings.language).unwrap_or_default());
        count_rates_in(settings.rates);
        if let Some(path) = options.path {
            let path = std::path::absolute(&path).unwrap_or(path);
            settings.form.choose_source(vec![path]);
            settings.form_open = true;
        }
        let repaints = Arc::new(Repaints::default());
        let waker = waker(ctx.clone(), Arc::clone(&repaints));
        // Far more than two frames' worth of samples; where it overflows samples are dropped, and rounds begin later.
        let (event_sender, events) = bounded(8192);
        let form = FormState::of(&settings);
        Self {
            form,
            worker: Worker::start(Arc::clone(&waker)).ok(),
            saved: settings.clone(),
            settings,
            settings_file: None,
            asked_language: options.language,
            system_language: Language::default(),
            keeping: Keeping::default(),
            history_file: None,
            other_processes: None,
            bus: DesktopBus::default(),
            notifying: Notifying::default(),
            icon_badge: IconBadge::default(),
            system_fonts: None,
            size: WindowSize::default(),
            view: View::default(),
            comparisons: Comparisons::default(),
            pings: Pings::default(),
            history_page: model::history::Page::default(),
            last_done_for: None,
            transfers: Transfers::default(),
            services: Services::default(),
            rounds: HashMap::new(),
            process_end: ProcessEnd::default(),
            events,
            event_sender,
            waker,
            repaints,
            notice: None,
            pictures: Pictures::default(),
            question: None,
            filter: String::new(),
            list_at: None,
            palette: None,
            focus_before: None,
            is_closing: false,
            // winit 0.30 has no file drop on Wayland.
            can_drop: std::env::var_os("WAYLAND_DISPLAY").is_none(),
            title: String::new(),
            own_cost: OwnCost::default(),
            clock: Clock::Since(Instant::now()),
            prints_frame_times: std::env::var_os("ARRAYLIFT_FRAME_TIMES").is_some(),
        }
    }

    /// What the window knows of its transfers.
    #[must_use]
    pub fn transfers(&self) -> &Transfers {
        &self.transfers
    }

    /// The same, to show recorded events.
    pub fn transfers_mut(&mut self) -> &mut Transfers {
        &mut self.transfers
    }

    /// The services of other processes, to show recorded ones.
    pub fn services_mut(&mut self) -> &mut Services {
        &mut self.services
    }

    /// Whether Start would start something at once.
    #[must_use]
    pub fn can_start(&self) -> bool {
        self.form.checked.recipe.is_some()
    }

    /// What is remembered.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The same, to change it.
    pub fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    /// The language of the window.
    #[must_use]
    pub fn language(&self) -> Language {
        let chosen = self.asked_language.or(self.settings.language);
        chosen.unwrap_or(self.system_language)
    }

    /// Shows a page in the middle of the window.
    pub fn show(&mut self, view: View) {
        self.view = view;
        if view == View::History {
            self.read_history();
        }
        // In a narrow window the page takes the place of the form.
        if view != View::Transfers && self.size == WindowSize::Narrow {
            self.form.unfolded = Some(false);
        }
    }

    /// Stops the window's clock, and all measuring with it, so that pictures are the same every time.
    pub fn stop_clock(&mut self, now_s: f64) {
        self.clock = Clock::Stopped(now_s);
    }

    fn now_s(&self) -> f64 {
        match self.clock {
            Clock::Since(began) => began.elapsed().as_secs_f64(),
            Clock::Stopped(now_s) => now_s,
        }
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &egui::Context, _frame: &mut eframe::Frame) {
        self.step(ctx);
        if self.settings_file.is_some() && self.settings != self.saved {
            // They are kept after a frame, and this may have been the last one for long.
            ctx.request_repaint_after(SAVE_INTERVAL);
        }
    }

    fn ui(&mut self, ui: &mut egui::Ui, frame: &mut eframe::Frame) {
        let begin = Instant::now();
        self.draw(ui, frame.gl().is_some());
        if self.prints_frame_times {
            eprintln!("own code of this frame: {:.2} ms", begin.elapsed().as_secs_f64() * 1e3);
        }
    }

    fn raw_input_hook(&mut self, _ctx: &egui::Context, input: &mut egui::RawInput) {
        theme::bound_textures(input);
        if self.pictures.are_due() {
            // What hangs beside the pointer is not to be in the picture.
            input.events.push(egui::Event::PointerGone);
        }
    }

    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        visuals.panel_fill.to_normalized_gamma_f32()
    }

    fn save(&mut self, _storage: &mut dyn eframe::Storage) {
        let Some(path) = self.settings_file.clone().filter(|_| self.settings != self.saved) else {
            return;
        };
        let settings = Box::new(self.settings.clone());
        // Where the worker's queue is full they are kept the next time.
        if self.ask_worker(Task::KeepSettings { path, settings }) {
            self.saved = self.settings.clone();
        }
    }

    /// Where the window's system ends the process, nobody asks what to keep.
    fn auto_save_interval(&self) -> Duration {
        SAVE_INTERVAL
    }

    fn persist_egui_memory(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests;
