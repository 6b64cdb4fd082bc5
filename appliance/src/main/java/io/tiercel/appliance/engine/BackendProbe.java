package io.tiercel.appliance.engine;

/**
 * What a backend found when it looked at the machine.
 *
 * @param available whether it can run here.
 * @param detail    what it would use ("AVX-512 VNNI, 2 threads") or why it cannot run ("libcuda.so.1 not found").
 */
public record BackendProbe(boolean available, String detail) {

    public static BackendProbe available(final String detail) {
        return new BackendProbe(true, detail);
    }

    public static BackendProbe unavailable(final String reason) {
        return new BackendProbe(false, reason);
    }
}
