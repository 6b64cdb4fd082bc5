package io.tiercel.appliance;

import io.tiercel.appliance.config.ApplianceContext;
import io.tiercel.appliance.config.ModelConfig;
import io.tiercel.appliance.engine.DeviceMode;
import io.tiercel.appliance.engine.DeviceSettings;
import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.appliance.engine.ModelRegistry;
import io.tiercel.appliance.engine.PreparedExecutor;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.journal.JournalDirectory;
import io.tiercel.appliance.journal.JournalException;
import io.tiercel.appliance.rollout.VersionLoader;
import io.tiercel.appliance.session.SessionStates;
import io.tiercel.appliance.session.Sessions;

/** Makes further versions with what the configuration says of their model. */
final class LoadingWorks implements VersionLoader.Works {

    private final ApplianceContext context;
    private final ModelRegistry registry;
    private final Sessions sessions;
    private final JournalDirectory journal;

    LoadingWorks(
            final ApplianceContext context, final ModelRegistry registry, final Sessions sessions,
            final JournalDirectory journal) {
        this.context = context;
        this.registry = registry;
        this.sessions = sessions;
        this.journal = journal;
    }

    @Override
    public LoadedModel load(final LoadedModel first, final Bundle bundle) {
        return load(context, registry, first, bundle);
    }

    @Override
    public SessionStates newStates(final LoadedModel version) {
        return sessions.newStates(version);
    }

    @Override
    public PreparedExecutor[] newExecutors(final LoadedModel version) {
        final PreparedExecutor[] executors = new PreparedExecutor[context.inferWorkers()];
        for (int worker = 0; worker < executors.length; worker++) {
            executors[worker] = PreparedExecutor.of(version, context.maxBatch(), context.rehearseAfterNs() > 0);
        }
        return executors;
    }

    @Override
    public void keep(final Bundle bundle) {
        try {
            journal.addBundle(bundle);
        } catch (final JournalException ex) {
            throw new IllegalStateException(ex.getMessage(), ex);
        }
    }

    static LoadedModel load(
            final ApplianceContext context, final ModelRegistry registry, final LoadedModel first,
            final Bundle bundle) {
        final ModelConfig config = context.models().get(first.modelId());
        return registry.loadVersion(first, bundle, config.backend(), config.threads(), deviceSettings(config));
    }

    static DeviceSettings deviceSettings(final ModelConfig config) {
        return new DeviceSettings(DeviceMode.of(config.gpuMode()), config.gpuAnswerLimitNs());
    }
}
