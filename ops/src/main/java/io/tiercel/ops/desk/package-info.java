/**
 * What an operator's desk knows of a running appliance: {@link io.tiercel.ops.desk.DeskFeed} reads its telemetry file
 * from another process, {@link io.tiercel.ops.desk.DeskState} keeps the last minutes of it.
 */
package io.tiercel.ops.desk;
