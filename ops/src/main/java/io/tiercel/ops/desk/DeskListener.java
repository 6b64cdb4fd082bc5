package io.tiercel.ops.desk;

import org.HdrHistogram.Histogram;

/** Is told what a {@link DeskFeed} reads, each thing once, as it reads it: for whoever adds up. The feed's thread. */
public interface DeskListener {

    /** @param histogramNs of an interval; not to be changed. */
    void onHistogram(DeskState.Source source, Histogram histogramNs);

    void onEvent(DeskEvent event);
}
