//! Signs what others check without asking: receipts, certificates, checkpoints.
//!
//! Ed25519 (RFC 8032). A document is a JWS in compact form (RFC 7515), which any JOSE library reads; what has a form of
//! its own, as a checkpoint has, is signed byte by byte. Keys are named by their thumbprints (RFC 7638) and published as
//! JWKS. `bhiv keys` makes them.

mod keys;
mod signer;

pub use jsonwebtoken::jwk::{Jwk, JwkSet};
pub use keys::{NotGenuine, PublicKeys};
pub use signer::{KeyError, Signer};

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Receipt {
        person: String,
    }

    fn signer() -> Signer {
        let dir = tempfile::tempdir().unwrap();
        let (private, public) = (dir.path().join("key.pem"), dir.path().join("jwks.json"));
        bhiv_auth::Keys::generate(&private, &public).unwrap();
        Signer::read(&private).unwrap()
    }

    #[test]
    fn what_was_signed_is_genuine_and_nothing_else_is() {
        let (ours, other) = (signer(), signer());
        let keys = PublicKeys::new(JwkSet { keys: vec![ours.public().clone()] });
        let signature = ours.sign(b"ten pears");
        keys.verify(ours.id(), b"ten pears", &signature).unwrap();
        assert!(matches!(keys.verify(ours.id(), b"nine pears", &signature), Err(NotGenuine::Changed)));
        let unknown = keys.verify(other.id(), b"ten pears", &other.sign(b"ten pears"));
        assert!(matches!(unknown, Err(NotGenuine::UnknownKey(id)) if id == other.id()));
        assert!(matches!(
            keys.verify(ours.id(), b"ten pears", &other.sign(b"ten pears")),
            Err(NotGenuine::Changed)
        ));
    }

    #[test]
    fn a_document_says_what_it_is() {
        let (ours, other) = (signer(), signer());
        let keys = PublicKeys::new(JwkSet { keys: vec![ours.public().clone()] });
        let receipt = Receipt { person: "lead/1".to_owned() };
        let document = ours.document("receipt+jwt", &receipt).unwrap();
        assert_eq!(keys.open::<Receipt>("receipt+jwt", &document).unwrap(), receipt);
        assert!(matches!(
            keys.open::<Receipt>("certificate+jwt", &document),
            Err(NotGenuine::OtherKind { .. })
        ));
        let forged = other.document("receipt+jwt", &receipt).unwrap();
        assert!(matches!(keys.open::<Receipt>("receipt+jwt", &forged), Err(NotGenuine::UnknownKey(_))));
        let (head, rest) = document.split_once('.').unwrap();
        let (_, signature) = rest.split_once('.').unwrap();
        let (_, body) = forged.split_once('.').unwrap();
        let other_body = other.document("receipt+jwt", &Receipt { person: "lead/2".to_owned() }).unwrap();
        let other_body = other_body.split('.').nth(1).unwrap();
        let mixed = format!("{head}.{other_body}.{signature}");
        assert!(matches!(keys.open::<Receipt>("receipt+jwt", &mixed), Err(NotGenuine::Changed)), "{body}");
        assert!(matches!(keys.open::<Receipt>("receipt+jwt", "no document"), Err(NotGenuine::Malformed(_))));
    }

    #[test]
    fn what_is_no_key_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("key.pem");
        assert!(Signer::read(&file).unwrap_err().to_string().contains("key.pem"));
        std::fs::write(&file, "no key").unwrap();
        assert!(matches!(Signer::read(&file), Err(KeyError::Malformed { .. })));
    }
}
