//! Whether a delivery comes from the holder of the webhook's secret. It looks at raw bytes alone: nothing is parsed
//! here, and nothing that was computed leaves.

use reveille_channel::{Delivery, HmacSha256Check, Reject, Route, Secret, Verified, single_header};

/// The header with the signature. The older `X-Hub-Signature` (SHA-1) is never looked at.
const HEADER: &str = "x-hub-signature-256";

/// Checks `X-Hub-Signature-256: sha256=` + hexadecimal HMAC-SHA256 of the raw body
/// (GitHub documentation, "Validating webhook deliveries").
pub(crate) fn verify(secret: &Secret, delivery: Delivery) -> Result<Verified, Reject> {
    // GitHub's signature does not say which endpoint it was made for, so no other endpoint may take it.
    if delivery.route != Route::Webhook {
        return Err(Reject::WrongSignature);
    }
    let signature = single_header(&delivery.headers, HEADER)?;
    let proof = HmacSha256Check { secret, header: HEADER, prefix: "sha256=" }.check(&[&delivery.body], signature)?;
    Ok(delivery.verified_by(proof))
}
