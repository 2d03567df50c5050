//! The language of the real window.

use super::*;

#[test]
#[ignore = "needs an X display, xdotool and ImageMagick"]
fn the_language_is_that_of_the_command_line_whatever_was_chosen_before_and_the_system_speaks() {
    let left = |language: &str| format!(r#"(language:Some("{language}"),form:(to:"1000"))"#);
    let cases = [
        ("zh-CN", "en", "en_US.UTF-8", "已校验"),
        ("en", "zh-CN", "zh_CN.UTF-8", "verified"),
    ];
    let display = std::env::var_os("DISPLAY").unwrap();
    for (language, kept, system, verified) in cases {
        let window = Window::open_in(&display, &["--lang", language], &left(kept), |program| {
            program
                .env_remove("WAYLAND_DISPLAY")
                .env_remove("LANGUAGE")
                .env("LC_ALL", system)
                .env("LANG", system);
        });
        window.key("ctrl+Return");
        window.wait_for_title("8.00 kB");
        window.wait_for_title(verified);
        window.screenshot(&format!("window-language-{language}"));
        window.key("ctrl+q");
        window.closes_with_success();
    }
}
