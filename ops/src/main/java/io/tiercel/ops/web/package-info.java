/**
 * An appliance at a glance, in a browser on the same host: {@link io.tiercel.ops.web.DeskServer} serves one page and
 * what changes on it.
 */
package io.tiercel.ops.web;
