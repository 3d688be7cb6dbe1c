//! However the bytes arrive, the same comes out: at once, in two pieces, or byte by byte.

#![no_main]

use libfuzzer_sys::fuzz_target;
use squall_fuzz::{Input, Machine, Message, Transcript, drive, said};

fuzz_target!(|data: &[u8]| {
    let input = Input::new(data);
    if input.control[1] & 1 == 0 {
        same(
            &input,
            || input.request_decoder(),
            |message| format!("{:?}", said(message.head.clone())),
        );
    } else {
        same(
            &input,
            || input.response_decoder(),
            |message| format!("{:?}", message.head),
        );
    }
});

fn same<M: Machine>(
    input: &Input<'_>,
    make: impl Fn() -> M,
    head: impl Fn(&Message<M::Head>) -> String,
) {
    let told = |transcript: Transcript<M::Head>| {
        let messages: Vec<_> = transcript
            .messages
            .iter()
            .map(|message| {
                (
                    head(message),
                    message.body.clone(),
                    message.trailers.clone(),
                )
            })
            .collect();
        (messages, transcript.end, transcript.rest)
    };
    let whole = told(drive(&mut make(), &[input.bytes]));
    let (first, second) = input.bytes.split_at(input.cut());
    assert_eq!(told(drive(&mut make(), &[first, second])), whole);
    let bytes: Vec<&[u8]> = input.bytes.chunks(1).collect();
    assert_eq!(told(drive(&mut make(), &bytes)), whole);
}
