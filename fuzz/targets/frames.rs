//! However frames arrive, the same comes out of them, and what came out comes out again when it is written anew.

#![no_main]

use libfuzzer_sys::fuzz_target;
use squall_fuzz::Input;
use squall_fuzz::frames::{Setup, bytes, drive};
use squall_websocket::proto::Limits;

fuzz_target!(|data: &[u8]| {
    let input = Input::new(data);
    let setup = Setup::new(&input);
    let bytes = bytes(&input);
    let whole = drive(setup, &[&bytes]);

    let cut = input.cut().min(bytes.len());
    let (first, second) = bytes.split_at(cut);
    assert_eq!(drive(setup, &[first, second]), whole);
    let pieces: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(drive(setup, &pieces), whole);

    let mut out = Vec::new();
    whole
        .seen
        .iter()
        .for_each(|it| it.write(&mut out, setup.role));
    let roomy = Setup {
        limits: Limits::default(),
        ..setup
    };
    let again = drive(roomy, &[&out]);
    assert_eq!(again.seen, whole.seen);
    assert_eq!(again.error, None);
    assert!(again.idle);
});
