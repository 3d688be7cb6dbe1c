//! TLS: what sslyze finds, and whether every client gets through, with a certificate authority of our own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::clients;
use super::outside::{output_of, program, python};
use super::server::Server;
use super::tally::Tally;
use super::{Scene, Step, Trouble, shown};

pub(super) const STEP: Step = Step {
    name: "tls",
    what: "sslyze, and curl and the other clients over TLS",
    floor: FINDINGS.len() + CURL.len() + clients::CASES + 1,
    run,
};

/// Where sslyze has to have found what: a pointer into its result, and the value there.
const FINDINGS: [(&str, &str, Found); 14] = [
    (
        "no SSL 2",
        "/ssl_2_0_cipher_suites/result/accepted_cipher_suites",
        Found::None,
    ),
    (
        "no SSL 3",
        "/ssl_3_0_cipher_suites/result/accepted_cipher_suites",
        Found::None,
    ),
    (
        "no TLS 1.0",
        "/tls_1_0_cipher_suites/result/accepted_cipher_suites",
        Found::None,
    ),
    (
        "no TLS 1.1",
        "/tls_1_1_cipher_suites/result/accepted_cipher_suites",
        Found::None,
    ),
    (
        "TLS 1.2",
        "/tls_1_2_cipher_suites/result/accepted_cipher_suites",
        Found::Some,
    ),
    (
        "TLS 1.3",
        "/tls_1_3_cipher_suites/result/accepted_cipher_suites",
        Found::Some,
    ),
    (
        "no compression",
        "/tls_compression/result/supports_compression",
        Found::Is(false),
    ),
    (
        "no early data",
        "/tls_1_3_early_data/result/supports_early_data",
        Found::Is(false),
    ),
    (
        "no Heartbleed",
        "/heartbleed/result/is_vulnerable_to_heartbleed",
        Found::Is(false),
    ),
    (
        "no CCS injection",
        "/openssl_ccs_injection/result/is_vulnerable_to_ccs_injection",
        Found::Is(false),
    ),
    (
        "no renegotiation",
        "/session_renegotiation/result/is_vulnerable_to_client_renegotiation_dos",
        Found::Is(false),
    ),
    (
        "fallback is told",
        "/tls_fallback_scsv/result/supports_fallback_scsv",
        Found::Is(true),
    ),
    (
        "extended master secret",
        "/tls_extended_master_secret/result/supports_ems_extension",
        Found::Is(true),
    ),
    (
        "the chain in order",
        "/certificate_info/result/certificate_deployments/0/received_chain_has_valid_order",
        Found::Is(true),
    ),
];

#[derive(Clone, Copy, Debug)]
enum Found {
    Is(bool),
    /// An empty list.
    None,
    /// A list that is not empty.
    Some,
}

/// Calls of curl, what they print and their exit code.
const CURL: [(&str, &str, &str, i32); 6] = [
    (
        "TLS 1.2",
        "--tlsv1.2 --tls-max 1.2 /plaintext",
        "Hello, World!",
        0,
    ),
    ("TLS 1.3", "--tlsv1.3 /plaintext", "Hello, World!", 0),
    (
        "TLS 1.1 is refused",
        "--tls-max 1.1 /plaintext",
        "alert",
        35,
    ),
    (
        "HTTP/2 is not agreed on",
        "--http2 -w |%{http_version} /plaintext",
        "Hello, World!|1.1",
        0,
    ),
    (
        "one handshake for all",
        "-w |%{num_connects}| /plaintext /json",
        "|0|",
        0,
    ),
    (
        "a large file",
        "-o /dev/null -w %{http_code}|%{size_download} /static/large.bin",
        "200|1048576",
        0,
    ),
];

/// What openssl is told of the two certificates.
const SETTINGS: &str = "\
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost, IP:127.0.0.1
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
";
/// Lines of shell that make them; `$1` is openssl.
const MAKE: &str = "\
new='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -config settings'
\"$1\" req -x509 $new -days 30 -subj '/CN=Squall test authority' -extensions authority -keyout ca.key -out ca.pem &&
\"$1\" req $new -subj /CN=localhost -keyout server.key -out server.csr &&
\"$1\" x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile settings -extensions server -out server.pem
";

fn run(scene: &Scene) -> Result<Tally, Trouble> {
    let curl = program("curl", "curl")?;
    let sslyze = python(scene)?.with_file_name("sslyze");
    let files = identity(scene)?;
    let file = |name: &str| files.join(name).to_string_lossy().into_owned();
    let folder = shown(scene)?.to_string_lossy().into_owned();
    let (cert, key, ca) = (file("server.pem"), file("server.key"), file("ca.pem"));
    let flags = [
        "--tls", "0", "--cert", &cert, "--key", &key, "--static", &folder,
    ];
    let server = Server::start(scene, "tls", &flags)?;
    let address = server
        .secure
        .as_deref()
        .ok_or_else(|| "the server printed no https://".to_owned())?;
    let mut tally = Tally::default();
    let result = scan(&sslyze, address, &ca, &files.join("sslyze.json"))?;
    for (name, pointer, found) in FINDINGS {
        tally.count(name, judge(&result, pointer, found));
    }
    for (name, arguments, prints, code) in CURL {
        let mut call = Command::new(&curl);
        call.args(["-sS", "--max-time", "20", "--noproxy", "*", "--cacert", &ca]);
        for argument in arguments.split(' ') {
            call.arg(match argument.strip_prefix('/') {
                Some(path) if argument != "/dev/null" => format!("https://{address}/{path}"),
                _ => argument.to_owned(),
            });
        }
        tally.count(&format!("curl, {name}"), called(call, prints, code));
    }
    clients::all(scene, &format!("https://{address}"), Some(&ca), &mut tally)?;
    server.end(&mut tally);
    Ok(tally)
}

/// An authority and a certificate of its for this machine, made afresh.
pub(super) fn identity(scene: &Scene) -> Result<PathBuf, Trouble> {
    let openssl = program("openssl", "openssl")?;
    let folder = scene.folder.join("tls");
    let written =
        fs::create_dir_all(&folder).and_then(|()| fs::write(folder.join("settings"), SETTINGS));
    written.map_err(|err| format!("cannot write into {}: {err}", folder.display()))?;
    let mut make = Command::new("sh");
    make.args(["-c", MAKE, "sh"])
        .arg(openssl)
        .current_dir(&folder);
    output_of(make, Duration::from_secs(60))?;
    Ok(folder)
}

/// Runs sslyze; what it has found about the server.
fn scan(sslyze: &Path, address: &str, ca: &str, file: &Path) -> Result<Value, String> {
    const SCANS: &str = "--certinfo --sslv2 --sslv3 --tlsv1 --tlsv1_1 --tlsv1_2 --tlsv1_3 --heartbleed --reneg \
        --fallback --compression --openssl_ccs --early_data --ems";
    let mut scan = Command::new(sslyze);
    // Mozilla's rules are about certificates that last, which one for a test does not.
    scan.arg("--mozilla_config=disable")
        .args(SCANS.split_whitespace())
        .args(["--certinfo_ca_file", ca])
        .arg(format!("--json_out={}", file.display()))
        .arg(address);
    output_of(scan, Duration::from_secs(120))?;
    let text =
        fs::read_to_string(file).map_err(|err| format!("cannot read {}: {err}", file.display()))?;
    let all: Value =
        serde_json::from_str(&text).map_err(|err| format!("sslyze wrote no JSON: {err}"))?;
    let result = all.pointer("/server_scan_results/0/scan_result").cloned();
    result.ok_or_else(|| "sslyze has scanned nothing".to_owned())
}

fn judge(result: &Value, pointer: &str, wanted: Found) -> Result<(), String> {
    let value = result.pointer(pointer).unwrap_or(&Value::Null);
    let good = match wanted {
        Found::Is(wanted) => value.as_bool() == Some(wanted),
        Found::None => value.as_array().is_some_and(Vec::is_empty),
        Found::Some => value.as_array().is_some_and(|list| !list.is_empty()),
    };
    if good {
        return Ok(());
    }
    Err(format!(
        "expected {wanted:?} at {pointer}, found {value:.200}"
    ))
}

fn called(call: Command, prints: &str, code: i32) -> Result<(), String> {
    let run = crate::bounded::run_command(call, Duration::from_secs(30))
        .map_err(|err| format!("cannot start curl: {err}"))?;
    let found = run.status.and_then(|status| status.code());
    if found == Some(code) && run.output.contains(prints) {
        return Ok(());
    }
    Err(format!(
        "expected exit code {code} and `{prints}`, found {found:?} and:\n{}",
        run.output
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_not_scanned_is_no_finding() {
        let result = json!({ "a": { "yes": true, "none": [], "some": [1] } });
        assert!(judge(&result, "/a/yes", Found::Is(true)).is_ok());
        assert!(judge(&result, "/a/none", Found::None).is_ok());
        assert!(judge(&result, "/a/some", Found::Some).is_ok());
        assert!(judge(&result, "/a/yes", Found::Is(false)).is_err());
        assert!(judge(&result, "/a/some", Found::None).is_err());
        for wanted in [Found::Is(false), Found::None, Found::Some] {
            assert!(judge(&result, "/a/gone", wanted).is_err());
        }
    }
}
