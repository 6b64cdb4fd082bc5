package io.tiercel.appliance.ingress;

import io.tiercel.appliance.access.Principal;
import io.tiercel.appliance.session.ClientConnection;
import io.tiercel.protocol.Handshake;

/**
 * The appliance's half of the handshake. Ingress only; allocates.
 *
 * <p>A nonce is the next value of a generator that the run's secret keys: nobody can foresee it, none comes twice, and
 * ingress waits for no source of chance. For a principal that is not known a key is tried that nobody has, so that the
 * time to say no does not tell which names there are.
 */
final class Challenger {

    private final Handshake handshake = new Handshake();
    private final byte[] secret;
    private long nonceCount;

    Challenger(final byte[] secret) {
        this.secret = secret;
    }

    /** The key of the principal by which a hello was proved, or null. */
    byte[] keyOf(final Principal principal, final int aeronSessionId, final byte[] hello, final byte[] proof) {
        if (principal == null) {
            handshake.helloProof(secret, aeronSessionId, hello);
            return null;
        }
        byte[] proved = null;
        for (final byte[] key : principal.keys()) {
            if (Handshake.isEqual(proof, handshake.helloProof(key, aeronSessionId, hello))) {
                proved = key;
            }
        }
        return proved;
    }

    byte[] nextNonce() {
        return handshake.nonce(secret, ++nonceCount);
    }

    /** The appliance's proof for a client whose own is right, or null. */
    byte[] answer(final ClientConnection client, final byte[] clientNonce, final byte[] proof) {
        final byte[] expected = handshake.clientProof(
                client.key, client.aeronSessionId, client.hello, client.applianceNonce, clientNonce);
        return Handshake.isEqual(proof, expected)
                ? handshake.applianceProof(
                        client.key, client.aeronSessionId, client.hello, client.applianceNonce, clientNonce)
                : null;
    }
}
