//! At a terminal: an interactive shell, Ctrl-C, Ctrl-Z and `fg`.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Child, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::place::Place;

/// An interactive bash at a terminal of its own.
struct Terminal {
    shell: Child,
    keyboard: File,
    seen: String,
}

impl Terminal {
    fn open(place: &Place) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let slave =
            || Stdio::from(File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap());
        // Tests that run in the background may have been told to ignore Ctrl-C, and no shell of theirs could take that back.
        let shell = place
            .command("setsid")
            .args(["--ctty", "--wait", "env", "--default-signal=INT,QUIT"])
            .args(["bash", "--norc", "--noprofile", "-i"])
            .env("PS1", "$ ")
            .env("TERM", "dumb")
            .stdin(slave())
            .stdout(slave())
            .stderr(slave())
            .spawn()
            .unwrap();
        let keyboard = File::from(master);
        let mut terminal = Self { shell, keyboard, seen: String::new() };
        terminal.until("$ ");
        terminal
    }

    fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Reads on until the screen shows `text`; gives everything since the last call.
    fn until(&mut self, text: &str) -> String {
        loop {
            if let Some((before, after)) = self.seen.split_once(text) {
                let before = before.to_owned();
                self.seen = after.to_owned();
                return before;
            }
            let mut chunk = [0; 1024];
            let count = self.keyboard.read(&mut chunk).unwrap_or(0);
            assert!(count > 0, "the shell ended before it showed `{text}`: {}", self.seen);
            self.seen.push_str(&String::from_utf8_lossy(&chunk[..count]));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.shell.kill().ok();
        self.shell.wait().ok();
    }
}

#[test]
fn ctrl_z_stops_the_job_fg_continues_it_and_ctrl_c_ends_it() {
    for way in ["exec -q --", "step x --"] {
        let place = Place::new();
        let mut terminal = Terminal::open(&place);
        // What is typed is shown too: the quotes tell the command's own words from it. The command makes no processes:
        // a shell that is stopped while it makes one cannot stop.
        terminal.press(&format!(
            "$MANOMETER {way} bash -c 'trap \"echo on''again\" CONT; echo be''gun; while :; do read -t 0.05; done'\n"
        ));
        terminal.until("begun");
        terminal.press("\x1a");
        terminal.until("Stopped");
        terminal.press("echo at the sh''ell\n");
        terminal.until("at the shell");
        terminal.press("fg\n");
        // Only now is the terminal the command's again: what is typed before is typed to the shell.
        terminal.until("onagain");
        terminal.press("\x03");
        terminal.until("$ ");
        terminal.press("echo code''=$?\n");
        let shown = terminal.until("code=130");
        assert!(!shown.contains("code="), "{way}: {shown}");
    }
}

#[test]
fn a_command_reads_the_terminal_as_if_nobody_stood_between() {
    let place = Place::new();
    let mut terminal = Terminal::open(&place);
    terminal.press(
        "$MANOMETER exec -q -- sh -c 'test -t 0 && test -t 1 && echo rea''ding && read line && echo \"re''ad: $line\"'\n",
    );
    terminal.until("reading");
    terminal.press("typed text\n");
    terminal.until("read: typed text");
    terminal.press("$MANOMETER exec -q -- stty size; echo co''de=$?\n");
    terminal.until("code=0");
}

#[test]
fn ctrl_c_ends_the_whole_script_around_it() {
    let place = Place::new();
    // One process that says so and waits: a shell that is told to end while it makes another would wait for that one.
    place.write("words", "begun\n");
    place.write("script.sh", "$MANOMETER exec -q -- tail -f words\necho not reached\n");
    let mut terminal = Terminal::open(&place);
    terminal.press("bash script.sh\n");
    terminal.until("begun");
    terminal.press("\x03");
    let shown = terminal.until("$ ");
    assert!(!shown.contains("not reached"), "{shown}");
}

#[test]
fn a_chart_is_drawn_at_the_end() {
    let place = Place::new();
    let mut terminal = Terminal::open(&place);
    terminal.press("$MANOMETER exec -- sh -c 'sleep 0.7; exit 3'; echo co''de=$?\n");
    let shown = terminal.until("code=3");
    for expected in ["build failed with code 3", "processor", "memory", "▁", "█"] {
        assert!(shown.contains(expected), "`{expected}` is missing in {shown}");
    }
}

#[test]
fn in_the_background_nothing_stops_at_the_end() {
    let place = Place::new();
    let mut terminal = Terminal::open(&place);
    terminal.press("stty tostop; $MANOMETER exec -- true & wait $!; echo co''de=$?\n");
    terminal.until("code=0");
}
