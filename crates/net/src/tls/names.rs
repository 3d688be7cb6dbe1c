//! Which certificate for which name.

use std::collections::HashMap;
use std::sync::Arc;

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// The certificates of a server by the names that are in them.
#[derive(Debug)]
pub(super) struct ByName {
    /// For a client that names no server, or one that nothing here is for.
    first: Arc<CertifiedKey>,
    /// By names in lower case; a wildcard without its star: `.example.org`.
    named: HashMap<String, Arc<CertifiedKey>>,
}

impl ByName {
    /// Of two certificates for a name the earlier one has it.
    pub(super) fn new(first: CertifiedKey, others: Vec<CertifiedKey>) -> Self {
        let first = Arc::new(first);
        let others = others.into_iter().map(Arc::new);
        let mut named = HashMap::new();
        for key in std::iter::once(Arc::clone(&first)).chain(others) {
            for name in names(&key) {
                named.entry(name).or_insert_with(|| Arc::clone(&key));
            }
        }
        Self { first, named }
    }

    fn find(&self, name: &str) -> Option<&Arc<CertifiedKey>> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        self.named.get(&name).or_else(|| {
            // A wildcard stands for exactly one label (RFC 9525 §6.3).
            let parent = &name[name.find('.')?..];
            self.named.get(parent)
        })
    }
}

/// The names of a certificate as [`ByName`] keeps them.
fn names(key: &CertifiedKey) -> Vec<String> {
    let certificate = key
        .cert
        .first()
        .and_then(|der| webpki::EndEntityCert::try_from(der).ok());
    let Some(certificate) = certificate else {
        return Vec::new();
    };
    certificate
        .valid_dns_names()
        .map(|name| name.strip_prefix('*').unwrap_or(name).to_ascii_lowercase())
        .collect()
}

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let named = hello.server_name().and_then(|name| self.find(name));
        Some(Arc::clone(named.unwrap_or(&self.first)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::Pem;
    use crate::tls::pem::Identity;

    fn key(names: &[&str]) -> CertifiedKey {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let identity = Identity {
            chain: Pem::bytes(made.cert.pem()),
            key: Pem::bytes(made.key_pair.serialize_pem()),
        };
        identity.load().unwrap()
    }

    #[test]
    fn a_name_finds_its_certificate_and_a_wildcard_stands_for_one_label() {
        let certificates = ByName::new(
            key(&["first.test"]),
            vec![
                key(&["second.test", "*.wild.test"]),
                key(&["exact.wild.test", "first.test"]),
            ],
        );
        let second = Arc::clone(certificates.find("second.test").unwrap());
        let exact = Arc::clone(certificates.find("exact.wild.test").unwrap());
        let is = |name, expected: &Arc<CertifiedKey>| {
            let found = certificates.find(name);
            assert!(
                found.is_some_and(|found| Arc::ptr_eq(found, expected)),
                "{name}"
            );
        };
        is("first.test", &certificates.first);
        is("FIRST.test.", &certificates.first);
        is("any.wild.test", &second);
        assert!(!Arc::ptr_eq(&exact, &second));
        for name in [
            "wild.test",
            "a.b.wild.test",
            "test",
            "",
            ".",
            "x.second.test",
        ] {
            assert!(certificates.find(name).is_none(), "{name}");
        }
    }
}
