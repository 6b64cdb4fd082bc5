package io.tiercel.tools.system;

import java.nio.file.Path;

/** The configuration file of an appliance under test: one thread that sleeps when idle, little memory, short start. */
final class ServeConfig {

    private final Path aeronDirectory;
    private final Path bundle;
    private Path journalDirectory;
    private String layout = "compact";
    private String channel = "aeron:ipc";
    private String refuseFree = "0";
    private int warmUpRequests = 2_000;
    private String more = "";

    ServeConfig(final Path aeronDirectory, final Path journalDirectory, final Path bundle) {
        this.aeronDirectory = aeronDirectory;
        this.journalDirectory = journalDirectory;
        this.bundle = bundle;
    }

    Path journal() {
        return journalDirectory;
    }

    ServeConfig journal(final Path directory) {
        journalDirectory = directory;
        return this;
    }

    ServeConfig layout(final String name) {
        layout = name;
        return this;
    }

    ServeConfig channel(final String requestChannel) {
        channel = requestChannel;
        return this;
    }

    /** Space below which requests are refused; not at all unless set, because the machine's disk may be nearly full. */
    ServeConfig refuseFree(final String size) {
        refuseFree = size;
        return this;
    }

    ServeConfig warmUpRequests(final int count) {
        warmUpRequests = count;
        return this;
    }

    /** Lines at the end of the file. */
    ServeConfig more(final String lines) {
        more = lines;
        return this;
    }

    @Override
    public String toString() {
        return """
                name: system-test
                layout: %s
                idle: backoff
                aeron:
                  directory: %s
                  request-channel: %s
                journal:
                  directory: %s
                  block-size: 16m
                  populate-ahead: 1m
                  warn-free: 0
                  refuse-free: %s
                models:
                  - alias: flow
                    bundle: %s
                limits:
                  clients: 8
                  sessions: 256
                  ring: 256
                warm-up:
                  requests: %d
                %s""".formatted(layout, aeronDirectory, channel, journalDirectory, refuseFree, bundle,
                warmUpRequests, more);
    }
}
