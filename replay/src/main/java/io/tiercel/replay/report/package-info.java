/**
 * Reports for people: one HTML file that holds everything it shows, and each of its plots as PNG.
 *
 * <p>Start at {@link io.tiercel.replay.report.HtmlReport}; {@link io.tiercel.replay.report.Plots} draws. Nothing is
 * loaded when a report is looked at, so it can be mailed, kept with a build and opened on a machine without a network.
 */
package io.tiercel.replay.report;
