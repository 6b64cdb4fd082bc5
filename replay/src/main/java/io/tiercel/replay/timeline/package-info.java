/**
 * When things happened: the requests of a stretch of a journal with their time stamps
 * ({@link io.tiercel.replay.timeline.RequestTimeline}), and what the appliance and its JVM left beside it
 * ({@link io.tiercel.replay.timeline.Tracks}), on one clock. What slow requests and traces are made of.
 */
package io.tiercel.replay.timeline;
