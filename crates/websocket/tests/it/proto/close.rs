//! Close frames (RFC 6455 sections 5.5.1 and 7.4).

use squall_websocket::proto::{CloseCode, CloseFrame, ProtocolError, Scratch, write_close};

use super::drive::{CLIENT, SERVER, Seen};

fn with_payload(payload: &[u8]) -> Vec<u8> {
    [&[0x88, payload.len() as u8], payload].concat()
}

#[test]
fn a_close_frame_may_say_nothing() {
    assert_eq!(CLIENT.sees(b"\x88\x00"), [Seen::Close(None)]);
}

#[test]
fn half_a_code_is_none() {
    let err = CLIENT.fails(b"\x88\x01\x03");
    assert_eq!(err, ProtocolError::CloseLength);
    assert_eq!(err.close_code(), CloseCode::PROTOCOL_ERROR);
}

#[test]
fn codes_that_may_be_sent_are_taken_and_no_others() {
    for number in 0..=u16::MAX {
        let scratch = Scratch {
            message: Vec::new(),
            control: number.to_be_bytes().to_vec(),
        };
        let allowed = matches!(number, 1000..=1003 | 1007..=1014 | 3000..=4999);
        match scratch.close_frame() {
            Ok(Some(frame)) => {
                assert!(allowed, "{number}");
                assert_eq!(frame.code.get(), number);
                assert_eq!(frame.reason, "");
            }
            other => {
                assert!(!allowed, "{number}");
                assert_eq!(other, Err(ProtocolError::CloseCode(number)));
            }
        }
    }
}

#[test]
fn a_reason_is_utf8() {
    let longest = "é".repeat(61) + "x";
    for reason in ["", "bye", "\0", &longest] {
        let input = with_payload(&[b"\x03\xe8", reason.as_bytes()].concat());
        let frame = CloseFrame::new(CloseCode::NORMAL, reason.to_owned());
        assert_eq!(CLIENT.sees(&input), [Seen::Close(Some(frame))]);
    }
    for reason in [&b"\xff"[..], b"a\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"] {
        let err = CLIENT.fails(&with_payload(&[b"\x03\xe8", reason].concat()));
        assert_eq!(err, ProtocolError::CloseReason);
        assert_eq!(err.close_code(), CloseCode::INVALID_DATA);
    }
}

#[test]
fn what_is_written_is_read() {
    let frames = [
        None,
        Some(CloseFrame::new(CloseCode::NORMAL, "")),
        Some(CloseFrame::new(CloseCode::SERVICE_RESTART, "in a moment")),
        Some(CloseFrame::new(CloseCode::GOING_AWAY, "ü".repeat(200))),
    ];
    for frame in frames {
        let mut plain = Vec::new();
        write_close(&mut plain, frame.as_ref(), None);
        assert_eq!(CLIENT.sees(&plain), [Seen::Close(frame.clone())]);
        let mut masked = Vec::new();
        write_close(&mut masked, frame.as_ref(), Some([1, 2, 3, 4]));
        assert_eq!(SERVER.sees(&masked), [Seen::Close(frame)]);
    }
}

#[test]
fn a_code_that_may_not_be_sent_is_not() {
    for code in [CloseCode::NO_STATUS, CloseCode::ABNORMAL] {
        let mut out = Vec::new();
        write_close(&mut out, Some(&CloseFrame::new(code, "x")), None);
        assert_eq!(out, b"\x88\x00");
    }
}

#[test]
fn a_reason_that_somebody_made_too_long_is_cut_between_characters() {
    let frame = CloseFrame {
        code: CloseCode::POLICY,
        reason: "é".repeat(100).into(),
    };
    let mut out = Vec::new();
    write_close(&mut out, Some(&frame), None);
    // 123 bytes would end within a character.
    assert_eq!(out.len(), 2 + 2 + 122);
    let cut = CloseFrame::new(CloseCode::POLICY, "é".repeat(61));
    assert_eq!(CLIENT.sees(&out), [Seen::Close(Some(cut))]);
}
