/**
 * The demonstration: a trading client plays a real trade tape against an appliance in a process of its own, then
 * replays the journal that this left.
 */
package io.tiercel.tools.demo;
