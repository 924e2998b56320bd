"""The settings for administrators, and the store and the spawner that are made from them."""
