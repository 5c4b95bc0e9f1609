"""The demo: parties, people and stations, and what happens to them. All that is proven in it is proven over sockets."""
