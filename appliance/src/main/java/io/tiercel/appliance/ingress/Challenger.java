package io.tiercel.appliance.ingress;

import io.tiercel.appliance.access.Principal;
import io.tiercel.appliance.session.ClientConnection;
import io.tiercel.protocol.Handshake;

import java.util.List;

/**
 * The appliance's half of the handshake. Ingress only; allocates.
 *
 * <p>A nonce is the next value of a generator that the run's secret keys: nobody can foresee it, none comes twice, and
 * ingress waits for no source of chance. As many keys are tried for each hello as a principal may have, with the run's
 * secret in the place of those that are not there: so the time to say no tells neither which names there are nor who
 * has two keys.
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
        final List<byte[]> keys = principal == null ? List.of() : principal.keys();
        byte[] proved = null;
        for (int index = 0; index < Principal.MAX_KEYS; index++) {
            final boolean isThere = index < keys.size();
            final byte[] key = isThere ? keys.get(index) : secret;
            final boolean isRight = Handshake.isEqual(proof, handshake.helloProof(key, aeronSessionId, hello));
            if (isThere && isRight) {
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
