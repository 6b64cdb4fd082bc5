package io.tiercel.replay.whatif;

import io.tiercel.appliance.engine.Backend;
import io.tiercel.appliance.engine.Backends;
import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelShape;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.Manifest.Task;
import io.tiercel.replay.SessionBlocks;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** A model that is run over a journal's requests: its bundle, loaded, and its own state of each session. */
final class Subject implements AutoCloseable {

    private final Candidate candidate;
    private final String backendName;
    private final Model model;
    private final SessionBlocks sessions;
    /** By session index: the logits after its last step, for the token that will come. */
    private final Map<Integer, float[]> expectations = new ConcurrentHashMap<>();

    /** @throws io.tiercel.appliance.engine.NoBackendException if no backend can compute it here as asked. */
    Subject(final Candidate candidate, final String backendChoice) {
        this.candidate = candidate;
        final Bundle bundle = candidate.bundle();
        final Backend backend = Backends.select(backendChoice, bundle);
        backendName = backend.name();
        model = Backends.load(backend, bundle, 1);
        sessions = new SessionBlocks(model, bundle.version());
    }

    /** @throws MisfitException if it cannot be asked what the other one was asked, or answers otherwise. */
    void checkFits(final Subject journaled) {
        check("task", task().name().toLowerCase(Locale.ROOT),
                journaled.task().name().toLowerCase(Locale.ROOT), journaled);
        check("features", shape().featureCount(), journaled.shape().featureCount(), journaled);
        check("vocabulary", shape().vocabularySize(), journaled.shape().vocabularySize(), journaled);
        check("outputs", shape().outputCount(), journaled.shape().outputCount(), journaled);
    }

    private void check(final String what, final Object ours, final Object theirs, final Subject journaled) {
        if (!ours.equals(theirs)) {
            throw new MisfitException("candidate=" + name() + " " + what + "=" + ours + " but the journal's model " +
                    journaled.candidate.bundle().versionHex().substring(0, 16) + " has " + what + "=" + theirs);
        }
    }

    String name() {
        return candidate.name();
    }

    String versionHex() {
        return candidate.bundle().versionHex();
    }

    String backendName() {
        return backendName;
    }

    Task task() {
        return candidate.bundle().manifest().task();
    }

    /** 0 if it does not tell classes. */
    int classCount() {
        return task() == Task.CLASSIFICATION ? shape().outputCount() : 0;
    }

    Model model() {
        return model;
    }

    ModelShape shape() {
        return model.shape();
    }

    SessionBlocks sessions() {
        return sessions;
    }

    Map<Integer, float[]> expectations() {
        return expectations;
    }

    @Override
    public void close() {
        sessions.close();
        model.close();
    }
}
