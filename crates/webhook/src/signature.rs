use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// A text before each secret, so that it is recognised where it does not belong.
const PREFIX: &str = "whsec_";

/// A secret of these random bytes.
pub fn secret(bytes: [u8; 32]) -> String {
    format!("{PREFIX}{}", BASE64_STANDARD.encode(bytes))
}

/// The header `webhook-signature`: a signature with each secret, so that a receiver with either one agrees. A text
/// that is no secret signs nothing.
pub fn signatures(secrets: &[&str], id: Uuid, at: DateTime<Utc>, body: &[u8]) -> String {
    let signed = |secret: &&str| {
        let key = BASE64_STANDARD.decode(secret.strip_prefix(PREFIX)?).ok()?;
        let mut signing = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &key));
        signing.update(format!("{id}.{}.", at.timestamp()).as_bytes());
        signing.update(body);
        Some(format!("v1,{}", BASE64_STANDARD.encode(signing.sign())))
    };
    secrets.iter().filter_map(signed).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_the_specification() {
        // The example of the specification's own libraries.
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let key = hmac::Key::new(hmac::HMAC_SHA256, &BASE64_STANDARD.decode(&secret[6..]).unwrap());
        let tag = hmac::sign(&key, format!("{id}.1614265330.{{\"test\": 2432232314}}").as_bytes());
        assert_eq!(BASE64_STANDARD.encode(tag), "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");

        let (id, at) = (Uuid::from_u128(7), DateTime::from_timestamp(1_614_265_330, 0).unwrap());
        let both = signatures(&[secret, "nonsense", "whsec_b2xk"], id, at, b"{}");
        let reference = |secret: &str| {
            let webhook = standardwebhooks::Webhook::new(secret).unwrap();
            webhook.sign(&id.to_string(), at.timestamp(), b"{}").unwrap()
        };
        assert_eq!(both, format!("{} {}", reference(secret), reference("whsec_b2xk")));
    }
}
