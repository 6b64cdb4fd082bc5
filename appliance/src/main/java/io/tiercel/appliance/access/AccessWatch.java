package io.tiercel.appliance.access;

import io.tiercel.protocol.SecretFileException;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.NanoClock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.Map;

/**
 * Looks once a second whether the files of principals have changed, on a thread that nobody waits for. What cannot be
 * read is said once, and what was known before goes on to hold.
 */
public final class AccessWatch implements Agent {

    private static final Logger LOGGER = LoggerFactory.getLogger(AccessWatch.class);
    private static final long INTERVAL_NS = 1_000_000_000L;

    private final PrincipalFiles files;
    private final Access access;
    private final NanoClock clock;
    private String seen;
    private long nextTickNs;

    public AccessWatch(final PrincipalFiles files, final Access access, final NanoClock clock) {
        this.files = files;
        this.access = access;
        this.clock = clock;
        seen = files.fingerprint();
        nextTickNs = clock.nanoTime() + INTERVAL_NS;
    }

    @Override
    public int doWork() {
        final long nowTickNs = clock.nanoTime();
        if (nowTickNs - nextTickNs < 0) {
            return 0;
        }
        nextTickNs = nowTickNs + INTERVAL_NS;
        final String found = files.fingerprint();
        if (found.equals(seen)) {
            return 0;
        }
        seen = found;
        reload();
        return 1;
    }

    private void reload() {
        try {
            final Map<String, Principal> principals = files.read();
            access.replace(principals);
            LOGGER.info("access.keys: principals={}", principals.size());
        } catch (final SecretFileException ex) {
            LOGGER.error("access.keys: {}: what was known before goes on to hold", ex.getMessage());
        }
    }

    @Override
    public String roleName() {
        return "access-watch";
    }
}
