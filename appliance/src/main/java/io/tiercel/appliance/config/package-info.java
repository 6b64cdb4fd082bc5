/**
 * What the owner of an appliance may choose: one table of keys ({@link io.tiercel.appliance.config.ConfigKey}), one
 * object of values ({@link io.tiercel.appliance.config.ApplianceContext}), one reader of files. Used before any agent
 * starts; nothing here is on a hot path, and nothing here knows the pipeline.
 */
package io.tiercel.appliance.config;
