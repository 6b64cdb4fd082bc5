package io.tiercel.appliance.snapshot;

import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.appliance.routing.Routes;
import io.tiercel.appliance.session.RetryWindow;
import io.tiercel.appliance.session.Sessions;
import org.agrona.UnsafeApi;

import java.nio.file.Path;
import java.util.List;

/** Writes snapshots of sessions that a recovery has left: for tests of whoever reads them. */
public final class SnapshotFiles {

    private SnapshotFiles() {
    }

    /** @return the file. */
    public static Path write(
            final Path journalDirectory,
            final long sequence,
            final Sessions sessions,
            final List<LoadedModel> models,
            final RetryWindow retries) {
        final int sessionCount = sessions.table().size();
        final long memory = UnsafeApi.allocateMemory(SnapshotImage.bytesFor(sessions, sessionCount));
        try {
            final SnapshotImage image = new SnapshotImage(sessions, 1, memory, sessionCount);
            image.cut(sequence, sessionCount, Routes.ofConfigured(models, models.size()));
            for (int index = 0; index < sessionCount; index++) {
                image.copy(index, sessions.table().modelIndex(index));
            }
            image.onWorkerDone();
            return new SnapshotStore(journalDirectory).write(image, models, retries);
        } finally {
            UnsafeApi.freeMemory(memory);
        }
    }
}
